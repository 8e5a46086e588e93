import { isDeepStrictEqual } from 'node:util'
import { isDialogue, type Message, type Turns, textOfContent } from '../core/index.ts'

/**
 * How many leading turns two dialogues share, at most all but one of the shorter: where both say the same, the last
 * turn is still the answer.
 */
export function commonTurns(a: readonly Message[], b: readonly Message[]): number {
  const most = Math.min(a.length, b.length) - 1
  let count = 0
  while (count < most && isDeepStrictEqual(a[count], b[count])) count++
  // An answer starts with what the model says: tool calls and their answers belong to it.
  while (count > 0 && a[count - 1]!.role === 'assistant' && a[count]!.role !== 'user') count--
  return count
}

/** The prompt that two texts or dialogues share, and what follows it in each. */
export function splitImplicit(
  chosen: Turns,
  rejected: Turns,
): { prompt: Turns; chosen: Turns; rejected: Turns } {
  if (typeof chosen === 'string' && typeof rejected === 'string') {
    const a = messagesOfTranscript(chosen)
    const b = messagesOfTranscript(rejected)
    if (!a || !b) return splitText(chosen, rejected)
    const shared = commonTurns(a, b)
    return {
      prompt: a.slice(0, shared),
      chosen: answerOf(a.slice(shared)),
      rejected: answerOf(b.slice(shared)),
    }
  }
  if (isDialogue(chosen) && isDialogue(rejected)) {
    const shared = commonTurns(chosen, rejected)
    return { prompt: chosen.slice(0, shared), chosen: chosen.slice(shared), rejected: rejected.slice(shared) }
  }
  return { prompt: '', chosen, rejected }
}

/**
 * Characters that two texts share, stepped back by one when they end in a space (completions keep their leading
 * space) and never through a surrogate pair.
 */
function splitText(chosen: string, rejected: string) {
  const most = Math.min(chosen.length, rejected.length)
  let cut = 0
  while (cut < most && chosen.charCodeAt(cut) === rejected.charCodeAt(cut)) cut++
  if (cut > 0 && (chosen[cut - 1] === ' ' || /[\ud800-\udbff]/.test(chosen[cut - 1]!))) cut--
  return { prompt: chosen.slice(0, cut), chosen: chosen.slice(cut), rejected: rejected.slice(cut) }
}

const turnStart = /\n\n(Human|Assistant):( ?)/g

/**
 * The turns of an hh-rlhf transcript (`\n\nHuman: … \n\nAssistant: …`); one space after the colon belongs to the
 * mark. `undefined` when the text does not start with a mark.
 */
function messagesOfTranscript(text: string): Message[] | undefined {
  const marks = [...text.matchAll(turnStart)]
  if (marks[0]?.index !== 0) return undefined
  return marks.map((mark, index) => ({
    role: mark[1] === 'Human' ? 'user' : 'assistant',
    content: text.slice(mark.index + mark[0].length, marks[index + 1]?.index),
  }))
}

/** Turns as an hh-rlhf transcript, with a space after every mark (also one that was not there before). */
export function transcriptOf(messages: readonly Message[]): string {
  return messages
    .map(({ role, content }) => `\n\n${role === 'user' ? 'Human' : 'Assistant'}: ${textOfContent(content)}`)
    .join('')
}

function answerOf(turns: readonly Message[]): Turns {
  const [only] = turns
  return turns.length === 1 && only!.role === 'assistant' ? only!.content : turns
}
