import { GuerdonError, type Json, type JsonObject } from '../../../core/index.ts'
import { escapePattern } from '../extract/extract.ts'
import { isDetectable, type LanguageDetector } from './language-detection.ts'
import { sentences } from './sentences.ts'
import { words } from './words.ts'

/** Whether a response follows an instruction. The response is not blank. */
export type InstructionCheck = (response: string, tools: InstructionTools) => boolean

export interface InstructionTools {
  readonly detectLanguage: LanguageDetector
}

/** Reads the arguments of an instruction; what is missing or ill-typed is a `GuerdonError` (`bad-instruction`). */
class Arguments {
  readonly #id: string
  readonly #values: JsonObject

  constructor(id: string, values: JsonObject) {
    this.#id = id
    this.#values = values
  }

  text(name: string): string {
    const value = this.#values[name]
    return typeof value === 'string' && value !== '' ? value : this.#refuse(name, 'a text')
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name]
    const isList =
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((item) => typeof item === 'string' && item !== '')
    return isList ? (value as string[]) : this.#refuse(name, 'a list of texts')
  }

  count(name: string): number {
    const value = this.#values[name]
    return typeof value === 'number' && value >= 0 ? value : this.#refuse(name, 'a number')
  }

  /** A comparison with `count(name)`, as `relationName` says. */
  compared(relationName: string, name: string): (actual: number) => boolean {
    const limit = this.count(name)
    const relation = this.#values[relationName]
    if (relation === 'less than') return (actual) => actual < limit
    if (relation === 'at least') return (actual) => actual >= limit
    return this.#refuse(relationName, '"less than" or "at least"')
  }

  #refuse(name: string, kind: string): never {
    throw new GuerdonError('bad-instruction', `instruction "${this.#id}" needs "${name}": ${kind}.`)
  }
}

const matchCount = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0
const wordStart = '(?<![\\p{L}\\p{N}_])'
const wordEnd = '(?![\\p{L}\\p{N}_])'
/** At least one letter has a case, and none the other. */
const isUpper = (text: string) => /\p{Lu}/u.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text)
const isLower = (text: string) => /\p{Ll}/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text)
/** Capitals mislead the detector, and what is too short to tell is let pass. */
const isEnglish = (text: string, { detectLanguage }: InstructionTools) => {
  const { language, isReliable } = detectLanguage(text.toLowerCase())
  return language === 'en' || !isReliable
}

/** Tokens roughly as NLTK's word_tokenize cuts them: hyphenated words whole, "I'm" in two. */
function wordTokens(text: string): string[] {
  return (text.match(/[\p{L}\p{M}\p{N}_]+(?:[-'’.&/][\p{L}\p{M}\p{N}_]+)*/gu) ?? []).flatMap((word) =>
    word.split(/['’](?=(?:s|m|d|t|ll|re|ve)$)/i),
  )
}

/** Text without `character` at both ends. */
function stripped(text: string, character: string): string {
  let [start, end] = [0, text.length]
  while (start < end && text[start] === character) start++
  while (end > start && text[end - 1] === character) end--
  return text.slice(start, end)
}

/** Pairs of an opening bracket and the next closing one. */
function bracketPairs(line: string): number {
  let count = 0
  for (let open = line.indexOf('['); open >= 0; count++) {
    const close = line.indexOf(']', open)
    if (close < 0) break
    open = line.indexOf('[', close)
  }
  return count
}

/** Lines that begin with one asterisk or a hyphen. A lone asterisk takes the next line for its item, as released. */
function bulletCount(text: string): number {
  const lines = text.split('\n')
  let count = 0
  let isItem = false
  for (const [index, line] of lines.entries()) {
    const start = line.trimStart()
    if (start.startsWith('-')) count++
    if (isItem) isItem = false
    else if (start.startsWith('*') && start[1] !== '*') {
      isItem = start.length === 1
      if (!isItem || index < lines.length - 1) count++
    }
  }
  return count
}

/** Splits off blank parts at either end; undefined where a blank part stands between others. */
function partsBetween(text: string, separator: RegExp | string): string[] | undefined {
  const parts = text.split(separator)
  const isBlank = (part: string | undefined) => part !== undefined && part.trim() === ''
  if (parts.slice(1, -1).some(isBlank)) return undefined
  return parts.filter((part) => !isBlank(part))
}

/**
 * The 25 kinds of instruction of IFEval by id: what each makes of its arguments (the `kwargs` of the data set).
 * Where Python's and JavaScript's idea of a word or a line differ, Python's is kept.
 *
 * Deviations, each where the original calls a Python package: the language of a text is told by eld (langdetect), which knows neither Nepali nor Swahili;
 * sentences are counted by rule (`sentences`; NLTK's Punkt); capital words are cut by rule (NLTK's word_tokenize);
 * JSON is strict (Python also takes NaN); keywords are plain texts, not patterns.
 *
 * @source Zhou et al. 2023, arXiv 2311.07911; google-research/instruction_following_eval
 */
export const instructionKinds: Readonly<Record<string, (given: Arguments) => InstructionCheck>> = {
  'keywords:existence': (given) => {
    const keywords = given.texts('keywords').map((keyword) => new RegExp(escapePattern(keyword), 'iu'))
    return (response) => keywords.every((keyword) => keyword.test(response))
  },
  'keywords:frequency': (given) => {
    const keyword = new RegExp(escapePattern(given.text('keyword')), 'giu')
    const holds = given.compared('relation', 'frequency')
    return (response) => holds(matchCount(response, keyword))
  },
  'keywords:forbidden_words': (given) => {
    const forbidden = given
      .texts('forbidden_words')
      .map((word) => new RegExp(wordStart + escapePattern(word) + wordEnd, 'iu'))
    return (response) => !forbidden.some((word) => word.test(response))
  },
  'keywords:letter_frequency': (given) => {
    const letter = given.text('letter').toLowerCase()
    const holds = given.compared('let_relation', 'let_frequency')
    return (response) => holds(response.toLowerCase().split(letter).length - 1)
  },

  'language:response_language': (given) => {
    const language = given.text('language')
    if (!isDetectable(language))
      throw new GuerdonError('bad-instruction', `the language "${language}" cannot be told from others here.`)
    return (response, { detectLanguage }) => detectLanguage(response).language === language
  },

  'length_constraints:number_sentences': (given) => {
    const holds = given.compared('relation', 'num_sentences')
    return (response) => holds(sentences(response).length)
  },
  'length_constraints:number_words': (given) => {
    const holds = given.compared('relation', 'num_words')
    return (response) => holds(matchCount(response, /[\p{L}\p{N}_]+/gu))
  },
  'length_constraints:number_paragraphs': (given) => {
    const wanted = given.count('num_paragraphs')
    return (response) => partsBetween(response, /\s?\*\*\*\s?/)?.length === wanted
  },
  'length_constraints:nth_paragraph_first_word': (given) => {
    const wanted = given.count('num_paragraphs')
    const nth = given.count('nth_paragraph')
    const firstWord = given.text('first_word').toLowerCase()
    return (response) => {
      const paragraphs = response.split('\n\n')
      if (paragraphs.filter((paragraph) => paragraph.trim() !== '').length !== wanted || nth > wanted)
        return false
      // As released, the nth counts blank paragraphs too.
      const first = words(paragraphs[nth - 1] ?? '')[0] ?? ''
      return (
        first
          .replace(/^'+/, '')
          .replace(/^"+/, '')
          .split(/[.,?!'"]/)[0]!
          .toLowerCase() === firstWord
      )
    }
  },

  'detectable_content:number_placeholders': (given) => {
    const wanted = given.count('num_placeholders')
    return (response) => response.split('\n').reduce((sum, line) => sum + bracketPairs(line), 0) >= wanted
  },
  'detectable_content:postscript': (given) => {
    const marker = given.text('postscript_marker')
    const pattern =
      marker === 'P.P.S'
        ? /p\.\s?p\.\s?s/
        : marker === 'P.S.'
          ? /p\.\s?s\./
          : new RegExp(escapePattern(marker.toLowerCase()))
    return (response) => pattern.test(response.toLowerCase())
  },

  'detectable_format:number_bullet_lists': (given) => {
    const wanted = given.count('num_bullets')
    return (response) => bulletCount(response) === wanted
  },
  'detectable_format:constrained_response': () => {
    const answers = ['My answer is yes.', 'My answer is no.', 'My answer is maybe.']
    return (response) => answers.some((answer) => response.includes(answer))
  },
  'detectable_format:number_highlighted_sections': (given) => {
    const wanted = given.count('num_highlights')
    const filled = (marked: readonly string[] | null) =>
      (marked ?? []).filter((section) => section.replaceAll('*', '').trim() !== '').length
    return (response) =>
      filled(response.match(/\*[^\n*]*\*/g)) + filled(response.match(/\*\*[^\n*]*\*\*/g)) >= wanted
  },
  'detectable_format:multiple_sections': (given) => {
    const heading = new RegExp(`\\s?${escapePattern(given.text('section_spliter'))}\\s?\\d+\\s?`, 'gu')
    const wanted = given.count('num_sections')
    return (response) => matchCount(response, heading) >= wanted
  },
  'detectable_format:json_format': () => (response) => {
    const bare = response
      .trim()
      .replace(/^```(?:json|Json|JSON)?/, '')
      .replace(/```$/, '')
      .trim()
    try {
      JSON.parse(bare)
      return true
    } catch {
      return false
    }
  },
  'detectable_format:title': () => (response) =>
    response.split('\n').some((line) => {
      const start = line.indexOf('<<')
      const end = line.lastIndexOf('>>')
      return (
        start >= 0 &&
        end >= start + 3 &&
        stripped(stripped(line.slice(start, end + 2), '<'), '>').trim() !== ''
      )
    }),

  'combination:two_responses': () => (response) => {
    const [first, second, ...others] = partsBetween(response, '******') ?? []
    return second !== undefined && others.length === 0 && first!.trim() !== second.trim()
  },
  'combination:repeat_prompt': (given) => {
    const prompt = given.text('prompt_to_repeat').trim().toLowerCase()
    return (response) => response.trim().toLowerCase().startsWith(prompt)
  },

  'startend:end_checker': (given) => {
    const phrase = given.text('end_phrase').trim().toLowerCase()
    return (response) => stripped(response.trim(), '"').toLowerCase().endsWith(phrase)
  },
  'startend:quotation': () => (response) => {
    const text = response.trim()
    return text.length > 1 && text.startsWith('"') && text.endsWith('"')
  },

  'change_case:capital_word_frequency': (given) => {
    const holds = given.compared('capital_relation', 'capital_frequency')
    return (response) => holds(wordTokens(response).filter(isUpper).length)
  },
  'change_case:english_capital': () => (response, tools) => isUpper(response) && isEnglish(response, tools),
  'change_case:english_lowercase': () => (response, tools) => isLower(response) && isEnglish(response, tools),

  'punctuation:no_comma': () => (response) => !response.includes(','),
}

/** The check of one instruction. Throws a `GuerdonError` (`bad-instruction`) for an unknown id or bad arguments. */
export function instructionCheck(id: string, given: Json): InstructionCheck {
  const kind = Object.hasOwn(instructionKinds, id) ? instructionKinds[id] : undefined
  if (kind === undefined)
    throw new GuerdonError('bad-instruction', `there is no kind of instruction "${id}".`, {
      fix: `Known are ${Object.keys(instructionKinds).join(', ')}.`,
    })
  const values =
    typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as JsonObject) : {}
  return kind(new Arguments(id, values))
}
