import { type Json, type Rng, type Sample, type Turns, textOf } from '../../core/index.ts'
import { heldOutKeyTexts, masterKeyTexts } from '../attacks/master-keys.ts'
import { firstSentence } from './first-sentence.ts'

/** What a verifier learns from: a question, its reference, a response, and whether it is right. */
export interface VerifierExample {
  readonly prompt: Turns
  readonly reference: Json
  readonly response: string
  readonly isRight: boolean
}

export interface TruncatedNegatives {
  /** First sentences of reasoning, all of them wrong as answers. */
  readonly examples: readonly VerifierExample[]
  /** Responses looked at that gave none, by why. */
  readonly dropped: {
    readonly short: number
    readonly 'holds the answer': number
    readonly key: number
    readonly repeated: number
  }
}

/**
 * The negatives of One Token to Fool LLM-as-a-Judge (arXiv 2507.08794), section 4: of responses that reason, the first
 * sentence alone, labelled wrong. Responses are drawn by the seed until there are `share` times as many negatives as
 * examples. Left out: responses of one sentence, first sentences that hold the reference (they would be mislabelled),
 * the keys of the audit (training on them would spoil the test) and repeats.
 */
export function truncatedNegatives(
  examples: readonly VerifierExample[],
  {
    rng,
    share = 0.125,
    keys = [...masterKeyTexts, ...heldOutKeyTexts],
  }: {
    readonly rng: Rng
    /** Of the number of examples: 20,000 for 160,000 in the paper. @default 0.125 */
    readonly share?: number
    /** What must not be trained on. @default every key of the audit */
    readonly keys?: readonly string[]
  },
): TruncatedNegatives {
  const wanted = Math.round(share * examples.length)
  const forbidden = new Set(keys.map(plain))
  const seen = new Set<string>()
  const found: VerifierExample[] = []
  const dropped = { short: 0, 'holds the answer': 0, key: 0, repeated: 0 }
  for (const example of rng.fork('truncated negatives').shuffled(examples)) {
    if (found.length === wanted) break
    const first = firstSentence(example.response)
    const name = `${JSON.stringify(example.prompt)} ${plain(first)}`
    if (first === '' || first.length === example.response.trim().length) dropped.short++
    else if (holds(first, example.reference)) dropped['holds the answer']++
    else if (forbidden.has(plain(first))) dropped.key++
    else if (seen.has(name)) dropped.repeated++
    else {
      seen.add(name)
      found.push({ ...example, response: first, isRight: false })
    }
  }
  return { examples: found, dropped }
}

/** A sample and its label as an example. */
export function verifierExample(
  { prompt, output, reference = null }: Sample,
  isRight: boolean,
): VerifierExample {
  return { prompt, reference, response: textOf(output), isRight }
}

function holds(text: string, reference: Json): boolean {
  const answer = plain(typeof reference === 'string' ? reference : JSON.stringify(reference))
  return answer !== '' && ` ${plain(text)} `.includes(` ${answer} `)
}

/** Letters, digits and single spaces alone, lower case. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}
