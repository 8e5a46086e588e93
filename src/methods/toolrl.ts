import { z } from 'zod'
import {
  defineReward,
  type Json,
  type Range,
  type Reward,
  type Sample,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import { constant, linear, type Schedule, schedule, stepAt } from '../rewards/combine/schedule.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { lastAssistantTurn, readTaggedLines } from '../rewards/verifiable/calls/tool-call-parsing.ts'
import {
  type AgreementOptions,
  agreementParts,
  callAgreement,
  callEvidence,
  readWantedCalls,
  type WantedCall,
} from '../rewards/verifiable/calls/tool-calls.ts'
import {
  checkFormat,
  type FormatBlock,
  type FormatSpec,
  strictFormat,
} from '../rewards/verifiable/extract/format.ts'
import { defineMethod } from './method.ts'

type Bounds = readonly [low: number, high: number]

/** What format and correctness are worth, by training step. */
const scales = {
  default: { format: constant<Bounds>([0, 1]), correctness: constant<Bounds>([-3, 3]) },
  equal: { format: constant<Bounds>([0, 1]), correctness: constant<Bounds>([-1, 1]) },
  'two-stage': {
    format: stepAt<Bounds>(30, [0, 1], [0, 0.5]),
    correctness: stepAt<Bounds>(30, [-1, 1], [-3, 3]),
  },
  smooth: {
    // A malformed response is worth -2 to -1 under this schedule, not 0.
    format: bounds(linear({ from: -2, to: -1, end: 75 }), linear({ from: 2, to: 1, end: 150 })),
    correctness: bounds(linear({ from: -2, to: -3, end: 150 }), linear({ from: 2, to: 3, end: 150 })),
  },
} satisfies Record<string, { format: Schedule<Bounds>; correctness: Schedule<Bounds> }>

/** Steps at which a scale bends. */
const bends = [0, 30, 75, 150]

/** Words of thought that earn the full length term. The released code lets the dynamic target grow beyond step 105. */
const lengthTargets = {
  fixed: () => constant(512),
  dynamic: (variant: Variant) =>
    variant === 'released'
      ? schedule((step: number) => 384 + (256 * step) / 105, { growing: [384, 640, 105] }, [384, 640])
      : linear({ from: 384, to: 640, end: 105 }),
}

const variants: Readonly<Record<Variant, Required<Pick<AgreementOptions, 'equality' | 'surplus'>>>> = {
  released: { equality: 'python', surplus: 'names' },
  paper: { equality: 'json', surplus: 'names' },
  guarded: { equality: 'json', surplus: 'calls' },
}

const thought: FormatBlock = { tag: 'think' }
const calls: FormatBlock = { tag: 'tool_call', before: { text: '\n' }, padding: { text: '\n' }, once: true }
const response: FormatBlock = { tag: 'response', before: { text: '\n' }, once: true }

/** The gold's tags choose the shape. */
function formatFor(hasCalls: boolean, hasResponse: boolean): FormatSpec {
  const blocks = [thought, ...(hasCalls ? [calls] : []), ...(hasResponse ? [response] : [])]
  return { blocks, after: 'newline-or-nothing' }
}
const formats = [false, true].map((hasCalls) =>
  [false, true].map((hasResponse) => formatFor(hasCalls, hasResponse)),
)
const strictFormats = formats.map((row) => row.map(strictFormat))

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: true equals 1, as in Python; paper: typed values; guarded: also, surplus calls cost their whole weight, calls are read after the thoughts only, calling where no call is wanted is as wrong as not calling where one is, and no block may be empty.',
    ),
  granularity: z
    .enum(['coarse', 'intermediate', 'refined', 'fine'])
    .default('fine')
    .describe('How much of a call has to be right before any of it counts.'),
  scale: z
    .enum(['default', 'equal', 'two-stage', 'smooth'])
    .default('default')
    .describe('Worth of format and correctness over the training steps.'),
  length: z
    .enum(['none', 'fixed', 'dynamic'])
    .default('none')
    .describe('Adds up to 1 for words of thought: of 512, or of 384 growing to 640 over 105 steps.'),
})

/**
 * Format + correctness (+ length), by default in [-3, 4]: tool calls decomposed into names, parameter names and
 * values. The reference is the gold response's text (its `<tool_call>` and `<response>` tags say what is wanted), or
 * a list of calls. A call must be one line of JSON with "name" and "parameters": any other line makes all calls
 * unreadable, which is worth the minimum (also in released code where it overlooks missing "parameters" of a
 * function that is not wanted). Beside those two keys nothing is compared. JSON numbers are compared by value, so
 * 3 equals 3.0 in every variant; Python's NaN and Infinity are not JSON and not read.
 *
 * @source ToolRL, arXiv 2504.13958
 */
function toolrlReward(settings: z.input<typeof options> = {}): Reward {
  const { variant, granularity, scale, length } = options.parse(settings)
  const guarded = variant === 'guarded'
  const agreement = { ...variants[variant], granularity }
  const worth = scales[scale]
  const target = length === 'none' ? undefined : lengthTargets[length](variant)
  const goldOf = rememberingLast((reference: Json | undefined) => readGold(reference, guarded))
  const scheduled = scale === 'two-stage' || scale === 'smooth' || length === 'dynamic'

  return defineReward({
    name: 'toolrl',
    needs: ['reference', ...(scheduled ? (['step'] as const) : [])],
    range: rangeOf(worth, target !== undefined),
    params: { variant, granularity, scale, length },
    judge: (sample, context) => {
      const gold = goldOf(sample.reference)
      if (typeof gold === 'string') return unscored('bad-input', gold)
      const { step } = context
      if (scheduled && step === undefined)
        return unscored('bad-input', 'this schedule needs the training step, and the context has none')
      const formatBounds = worth.format(step ?? 0)
      const callBounds = worth.correctness(step ?? 0)
      const turn = lastAssistantTurn(textOf(sample.output))

      const wanted = gold.calls ?? []
      const shapes = (guarded ? strictFormats : formats)[Number(gold.calls !== undefined)]!
      const shape = checkFormat(turn.text, shapes[Number(gold.hasResponse)]!)
      const format = formatBounds[shape.matches ? 1 : 0]

      const given = readTaggedLines(turn.text, guarded ? afterThoughts(turn.text) : 0, turn.offset)
      const found = callAgreement(wanted, given.calls, agreement)
      let correctness = callBounds[0] + (callBounds[1] - callBounds[0]) * found.share
      if (!gold.calls)
        correctness = guarded && given.calls.length + given.broken.length > 0 ? callBounds[0] : 0
      else if (given.broken.length > 0 || given.calls.length === 0) correctness = callBounds[0]

      const lengthTerm = target && thoughtShare(turn.text, target(step ?? 0))
      const evidence = gold.calls ? callEvidence(wanted, given, found) : []
      return {
        value: format + correctness + (lengthTerm ?? 0),
        parts: {
          format,
          correctness,
          ...(lengthTerm === undefined ? {} : { length: lengthTerm }),
          ...(gold.calls ? agreementParts(found) : {}),
        },
        ...(shape.matches ? {} : { rationale: shape.reason }),
        ...(evidence.length > 0 ? { evidence } : {}),
      }
    },
  })
}

interface Gold {
  /** Undefined when the gold makes no call. */
  readonly calls: readonly WantedCall[] | undefined
  readonly hasResponse: boolean
}

function readGold(reference: Json | undefined, guarded: boolean): Gold | string {
  if (typeof reference !== 'string') {
    const wanted = readWantedCalls(reference)
    return typeof wanted === 'string'
      ? wanted
      : { calls: wanted.length > 0 ? wanted : undefined, hasResponse: false }
  }
  const from = guarded ? afterThoughts(reference) : 0
  const hasResponse = reference.includes('<response>', from)
  if (!reference.includes('<tool_call>', from)) return { calls: undefined, hasResponse }
  const { calls, broken } = readTaggedLines(reference, from)
  if (broken[0]) return `the reference's calls cannot be read: ${broken[0].problem}`
  return { calls, hasResponse }
}

/** `read`, not done twice in a row for one argument: the samples of a group share their reference. */
function rememberingLast<A, B>(read: (argument: A) => B): (argument: A) => B {
  let last: { argument: A; result: B } | undefined
  return (argument) => {
    if (last === undefined || last.argument !== argument) last = { argument, result: read(argument) }
    return last.result
  }
}

function afterThoughts(text: string): number {
  const end = text.lastIndexOf('</think>')
  return Math.max(end, 0)
}

/** Words of the last thought over `target`, rounded to two decimals (half to even, as Python does), at most 1. */
export function thoughtShare(text: string, target: number): number {
  if (!text.includes('<think>') || !text.includes('</think>')) return 0
  const [, afterLast = ''] = [text, text.slice(text.lastIndexOf('<think>') + '<think>'.length)]
  const words = afterLast.split('</think>', 1)[0]!.match(/\S+/g)?.length ?? 0
  const share = words / target
  // A double has a tie at the third decimal only at odd multiples of 1/8, where the even neighbour is at 0 or 2 mod 4.
  const isTie = Number.isInteger(share * 8) && (share * 8) % 2 === 1
  const rounded = isTie ? (2 * Math.round(share * 50)) / 100 : Number(share.toFixed(2))
  return Math.min(rounded, 1)
}

function bounds(low: Schedule<number>, high: Schedule<number>): Schedule<Bounds> {
  return schedule((step) => [low(step), high(step)], { low: low.params, high: high.params }, [])
}

function rangeOf(worth: (typeof scales)[keyof typeof scales], hasLength: boolean): Range {
  const at = (end: 0 | 1) => bends.map((step) => worth.format(step)[end] + worth.correctness(step)[end])
  return [Math.min(...at(0)), Math.max(...at(1)) + Number(hasLength)]
}

const gold = `<think>Two tools.</think>
<tool_call>
{"name": "get_weather", "parameters": {"city": "Oslo", "unit": "C"}}
{"name": "search", "parameters": {"q": "ski"}}
</tool_call>`
const sample = (output: string, reference: Json = gold): Sample => ({
  id: 'toolrl',
  prompt: 'How cold is it in Oslo, and where can I ski?',
  output,
  reference,
  meta: {},
})
const unitF = gold.replace('"C"', '"F"')
const spam = gold.replace('\n</tool_call>', '\n{"name": "search", "parameters": {"q": "snow"}}\n</tool_call>')

export const toolrl = defineRewardType({
  name: 'toolrl',
  summary: 'Tool calls decomposed into names, parameter names and values, plus the format of the response.',
  source: 'ToolRL, arXiv 2504.13958',
  options,
  create: toolrlReward,
  examples: [
    { sample: sample(gold), value: 4 },
    { sample: sample(unitF), value: 3 },
    { sample: sample(spam), options: { variant: 'released' }, value: 11 / 3 },
    { sample: sample(spam), value: 1 + (6 * (2 / 3 + 5)) / 8 - 3 },
    { sample: sample('<think>No tool.</think>\n<response>It is cold.</response>'), value: -3 },
    { sample: sample(unitF), options: { scale: 'smooth' }, value: 1.933333333 + 1.377777778 },
    { sample: sample(gold, 'None'), value: -3 },
    { sample: sample(gold, '<think></think>\n<tool_call>\n{"name"\n</tool_call>'), value: null },
  ],
})

export const toolrlMethod = defineMethod({ id: 'toolrl', rewards: [toolrl] })
