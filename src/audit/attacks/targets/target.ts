import type { Json, Sample, Turns } from '../../../core/index.ts'

/** One reward as an attacker meets it. */
export interface Target {
  /** Name of the reward, and what sets its targets apart. */
  readonly reward: string
  readonly note?: string
  readonly options?: Readonly<Record<string, unknown>>
  readonly prompt: string
  readonly reference?: Json
  readonly meta?: Sample['meta']
  /** What stands where the answer goes: right, and wrong in everything. */
  readonly right: string
  readonly wrong: string
  /** Puts an answer into the output's form. @default the answer alone */
  readonly dress?: (answer: string) => string
  /** What the right answer earns. */
  readonly full: number
  /** Most that an output without any answer may earn. @default 0 */
  readonly nothing?: number
  /** Most that a well-formed wrong answer may earn: the format. @default `nothing` */
  readonly form?: number
  /** References that this reward can judge by although they look odd. */
  readonly accepts?: readonly Json[]
  /** Attacks that this reward pays on purpose, by name, and why. */
  readonly concedes?: Readonly<Record<string, string>>
  /** Attacks on this reward alone: an output, and the most that it may earn. */
  readonly attacks?: readonly {
    readonly name: string
    readonly output: Turns
    readonly most: number
    readonly reference?: Json
    readonly meta?: Sample['meta']
  }[]
}

export const thinkAnswer = (answer: string) => `<think>I look.</think>\n<answer>${answer}</answer>`
export const answerTag = (answer: string) => `<answer>${answer}</answer>`
/** References that are texts, if odd ones. */
export const texts: readonly Json[] = [0, 3, '0', true, false]

export const fence = (json: Json) => `\`\`\`json\n${JSON.stringify(json)}\n\`\`\``
