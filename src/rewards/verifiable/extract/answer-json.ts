import { type Json, jsonOf, type Turns, textOf } from '../../../core/index.ts'
import { withoutThoughts } from './asides.ts'
import { extractJson } from './extract-json.ts'
import { extractTag } from './extract-tag.ts'

/** What an output says as JSON: its JSON part, or the JSON of its answer, thoughts left out. undefined when it has none. */
export function answerJson(output: Turns): Json | undefined {
  return jsonOf(output) ?? jsonInText(withoutThoughts(textOf(output)))
}

/** JSON in the last answer tags (or, without tags, in the entire text), in a fence or alone. */
export function jsonInText(text: string): Json | undefined {
  const answer = extractTag(text, 'answer', { which: 'last', allowMissingClose: true })
  return jsonIn(answer.error === 'absent' ? text : (answer.value ?? ''))
}

/** JSON in a fence (which may stand on one line when it says json), or the whole text. */
export function jsonIn(text: string, which: 'first' | 'last' = 'first'): Json | undefined {
  return extractJson(text, { language: 'json', which }).value ?? extractJson(text, { which }).value
}
