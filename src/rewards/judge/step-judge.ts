import {
  type Json,
  type Range,
  type Sample,
  type Score,
  type StepReward,
  textOf,
  type Unscored,
  unscored,
} from '../../core/index.ts'
import { askAll, isRead, type JudgeOptions, judgeParams } from './judge.ts'

export interface StepJudgeOptions extends JudgeOptions<readonly number[]> {
  /** In the units of the prompt. A step with a score outside makes the whole reply unreadable. @default [1, 5] */
  readonly range?: Range
  /** The steps of an output. @default `stepsOf` */
  readonly steps?: (sample: Sample) => readonly string[] | Unscored
}

/**
 * A judge of steps: all steps of an output in one query (the field `steps` of its prompt), one score for each in the
 * reply. A reply with fewer or more scores than there are steps is no verdict.
 */
export function stepJudge(options: StepJudgeOptions): StepReward {
  const { name, version = '1', range = [1, 5], steps: split = stepsOf } = options
  const [low, high] = range
  return {
    name,
    version,
    params: judgeParams(options, { range: [...range] }) as Json,
    unit: 'step',
    range,
    scoreSteps: async (samples, context = {}) => {
      const steps = samples.map(split)
      const asked = samples.flatMap((sample, index) => {
        const own = steps[index]!
        if ('code' in own || own.length === 0) return []
        const list = (own as readonly string[]).map((turns, at) => ({ name: `step ${at + 1}`, turns }))
        return [{ key: sample.id, sample, material: { steps: { list } } }]
      })
      const readings = await askAll(asked, options, context)
      let next = 0
      return steps.map((own): readonly Score[] | Unscored => {
        if ('code' in own) return own as Unscored
        if (own.length === 0) return []
        const reading = readings[next++]!
        if (!isRead(reading)) return reading
        const { usage, rationale } = reading
        const scores = reading.votes[0]!
        const details = { usage, ...(rationale === undefined ? {} : { rationale }) }
        if (scores.length !== own.length)
          return unscored(
            'unparsable',
            `the judge gave ${scores.length} scores for ${own.length} steps`,
            details,
          )
        if (!scores.every((score) => score >= low && score <= high))
          return unscored('unparsable', `a step has a score that is not between ${low} and ${high}`, details)
        // What the call cost stands once, at the first step.
        return scores.map((value, index): Score => (index === 0 ? { value, ...details } : { value }))
      })
    },
  }
}

const stepMark = /^\s*(?:#{1,6}\s*)?(?:\*\*)?(?:step\s*\d+\b|\d{1,2}[.)](?=\s))/i

/**
 * The steps of an output: the texts of `meta.steps` where the row has them, else the text's paragraphs; where lines begin
 * with "Step 1" or "1.", each of these begins a step. Generators and judges must split alike, so prefer `meta.steps`.
 */
export function stepsOf({ output, meta }: Sample): readonly string[] | Unscored {
  const given = Object.hasOwn(meta, 'steps') ? meta.steps : undefined
  if (given !== undefined && given !== null)
    return Array.isArray(given) && given.every((step) => typeof step === 'string')
      ? (given as string[])
      : unscored('bad-input', 'meta.steps must be a list of texts')
  const lines = textOf(output).split('\n')
  const isMarked = lines.filter((line) => stepMark.test(line)).length >= 2
  const steps: string[] = []
  let open = false
  for (const line of lines) {
    const begins = isMarked ? stepMark.test(line) : !open && line.trim() !== ''
    if (!isMarked && line.trim() === '') open = false
    else if (begins || steps.length === 0) {
      steps.push(line)
      open = true
    } else steps[steps.length - 1] += `\n${line}`
  }
  return steps.map((step) => step.trim()).filter((step) => step !== '')
}
