import { attributeValues, categories, countables, dangers } from './lexicon.ts'
import { Vocabulary } from './tokenizer.ts'

export const marks = {
  pad: '<pad>',
  begin: '<bos>',
  end: '<eos>',
  user: '<user>',
  assistant: '<assistant>',
  unknown: '<unk>',
} as const

const tags = ['think', 'answer', 'tool_call', 'response'].flatMap((tag) => [`<${tag}>`, `</${tag}>`])
const digits = [...'0123456789']
const signs = ['+', '-', '*', '=', '(', ')', '.', ',', ':', '?']

/** Pieces of one call on one line, `{"name": "alarm", "parameters": {"day": "monday", "hour": 8}}`. */
export const callPieces = {
  open: '{"name": "',
  parameters: '", "parameters": {',
  next: '", ',
  closeText: '"}}',
  close: '}}',
} as const
/** Names of tool parameters; a piece of JSON each, `"city": "`. */
export const textParameters = ['city', 'unit', 'query', 'to', 'topic', 'day', 'item', 'colour'] as const
export const numberParameters = ['hour', 'count'] as const

export function parameterPiece(name: string): string {
  return (numberParameters as readonly string[]).includes(name) ? `"${name}": ` : `"${name}": "`
}

/** What tools take that is not a word of the world anyway. */
export const toolWords = {
  tools: ['clock', 'weather', 'search', 'mail', 'alarm', 'order'],
  cities: ['oslo', 'rome', 'paris'],
  units: ['celsius', 'kelvin'],
  days: ['monday', 'friday', 'sunday'],
} as const

const functionWords =
  'the is in has and facts tell me about what colour where who name as list numbers at most words avoid be polite ' +
  'how can i make a sorry not help with that know do hope this helps you see let all need dear friend thank take ' +
  'one two three gets loses many times so answer for time yes no'
const judgingWords =
  'prefer short long plain first then right wrong true great too just asked read my trust best hurry calm ' +
  'solution thought process us solve step by'

/**
 * The closed vocabulary, fewer than 200 tokens, of prompts, answers, arithmetic, tool calls, reactions, principles and
 * contexts. Further surface languages extend it (`vocabularyOf`).
 */
export const textVocabulary: Vocabulary = new Vocabulary({
  special: Object.values(marks),
  glued: [
    '\n',
    ...Object.values(callPieces),
    ...[...textParameters, ...numberParameters].map(parameterPiece),
  ],
  words: [
    ...new Set([
      ...tags,
      ...digits,
      ...signs,
      ...Object.keys(categories),
      ...Object.values(categories).flat(),
      ...Object.values(attributeValues).flat(),
      ...dangers,
      ...countables,
      ...Object.values(toolWords).flat(),
      ...functionWords.split(' '),
      ...judgingWords.split(' '),
    ]),
  ],
})
