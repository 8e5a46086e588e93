import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Json, type Reward, Rng, type Sample } from '../src/core/index.ts'
import { dipR1 } from '../src/methods/dip-r1.ts'
import { toolrl } from '../src/methods/toolrl.ts'
import { visionR1 } from '../src/methods/vision-r1.ts'
import { visualRft } from '../src/methods/visual-rft.ts'
import { vlmR1 } from '../src/methods/vlm-r1.ts'
import { boxes } from '../src/rewards/verifiable/boxes/detection-reward.ts'
import { toolCalls } from '../src/rewards/verifiable/calls/tool-calls.ts'
import { chair } from '../src/rewards/verifiable/text/chair-reward.ts'

// What every guarded reward of several things owes: one more right thing never costs, one more wrong thing never
// pays, and the order of writing is no merit.

interface Lawful<Item> {
  readonly name: string
  readonly reward: Reward
  readonly reference: (wanted: readonly Item[]) => Json
  readonly write: (items: readonly Item[]) => string
  readonly meta?: Sample['meta']
  /** What an answer looks like when it is right. */
  readonly wanted: fc.Arbitrary<readonly Item[]>
  /** Things that nobody asked for. */
  readonly wrong: fc.Arbitrary<readonly Item[]>
}

interface Item {
  readonly box: readonly [number, number, number, number]
  readonly label: string
}
const label = fc.constantFrom('circle', 'square')
/** Boxes on a grid, so that no two touch: wanted ones in one half of it, wrong ones in the other. */
const onGrid = (from: number, to: number) =>
  fc.uniqueArray(fc.integer({ min: from, max: to - 1 }), { minLength: 1, maxLength: 5 }).chain((cells) =>
    fc.tuple(...cells.map(() => label)).map((labels) =>
      cells.map((cell, index): Item => {
        const [x, y] = [(cell % 8) * 30, Math.floor(cell / 8) * 30]
        return { box: [x, y, x + 20, y + 20], label: labels[index]! }
      }),
    ),
  )
const detection = { wanted: onGrid(0, 32), wrong: onGrid(32, 64) }
const bboxes = (items: readonly Item[]) => items.map(({ box, label }) => ({ bbox_2d: [...box], label }))
const fenced = (items: readonly Item[]) => `\`\`\`json\n${JSON.stringify(bboxes(items))}\n\`\`\``
const thought = (text: string) => `<think>I look.</think><answer>${text}</answer>`

const detectors: readonly Lawful<Item>[] = [
  ...(['f1', 'overlap', 'ap', 'ap50'] as const).map((score) => ({
    ...detection,
    name: `boxes ${score}`,
    reward: boxes({ score }),
    reference: bboxes,
    write: fenced,
  })),
  ...(['od_ap', 'od_ap50', 'odLength', 'weighted_sum'] as const).map((method) => ({
    ...detection,
    name: `vlm-r1 ${method}`,
    reward: vlmR1({ method }),
    reference: bboxes,
    write: (items: readonly Item[]) => thought(fenced(items)),
  })),
  { ...detection, name: 'vision-r1', reward: visionR1(), reference: bboxes, write: fenced },
  {
    ...detection,
    name: 'visual-rft',
    reward: visualRft(),
    reference: (items) => items.map(({ box }) => [...box]),
    write: (items) => thought(JSON.stringify(items.map(({ box }) => ({ Position: box, Confidence: 1 })))),
  },
  {
    ...detection,
    name: 'dip-r1',
    reward: dipR1(),
    reference: (items) => items.map(({ box }) => [...box]),
    meta: { width: 256, height: 256 },
    write: (items) =>
      `<think>A crowd.</think><look>[]</look><answer>${JSON.stringify(items.map(({ box }) => box))}</answer>`,
  },
]

interface Call {
  readonly name: string
  readonly parameters: Readonly<Record<string, string | number>>
}
const callsOf = (names: readonly string[]) =>
  fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...names),
      parameters: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.integer(), fc.string()), {
        maxKeys: 3,
      }),
    }),
    { minLength: 1, maxLength: 4, selector: ({ name }) => name },
  ) as fc.Arbitrary<readonly Call[]>
const calling = { wanted: callsOf(['f', 'g', 'h', 'i']), wrong: callsOf(['u', 'v', 'w']) }
const lines = (calls: readonly Call[]) => calls.map((call) => JSON.stringify(call)).join('\n')
const callers: readonly Lawful<Call>[] = [
  {
    ...calling,
    name: 'tool-calls',
    reward: toolCalls(),
    reference: (calls) => calls.map(({ name, parameters }) => ({ name, arguments: parameters })),
    write: (calls) => `<tool_call>\n${lines(calls)}\n</tool_call>`,
  },
  {
    ...calling,
    name: 'toolrl',
    reward: toolrl(),
    reference: (calls) => calls.map(({ name, parameters }) => ({ name, parameters })),
    write: (calls) => `<think>Tools.</think>\n<tool_call>\n${lines(calls)}\n</tool_call>`,
  },
]

const objects = (names: readonly string[]) =>
  fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 4 })
const captions: readonly Lawful<string>[] = [
  {
    name: 'chair',
    reward: chair(),
    wanted: objects(['person', 'dog', 'bench', 'kite']),
    wrong: objects(['cat', 'bus', 'cup', 'fork']),
    reference: (names) => [...names],
    write: (names) => names.map((name) => `There is a ${name}.`).join(' '),
  },
]

const lawful = [...detectors, ...callers, ...captions] as readonly Lawful<unknown>[]

describe.each(lawful.map((one) => [one.name, one] as const))(
  '%s',
  (name, { reward, reference, write, meta, wanted, wrong }) => {
    const worth = async (right: readonly unknown[], output: readonly unknown[]) => {
      const sample = {
        id: 'law',
        prompt: 'p',
        output: write(output),
        reference: reference(right),
        meta: meta ?? {},
      }
      const [score] = await reward.score([sample], { rng: new Rng('law'), step: 0 })
      expect(score!.value).not.toBeNull()
      return score!.value!
    }
    /** A right answer with some of it left out, and wrong things put in. */
    const answers = fc.record({
      right: wanted,
      wrong,
      keep: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    })
    const runs = { numRuns: 60, seed: 11 }

    test('one more wrong thing never pays', () =>
      fc.assert(
        fc.asyncProperty(answers, async ({ right, wrong, keep }) => {
          const given = [...right.filter((_, index) => keep[index]), ...wrong.slice(1)]
          if (given.length === 0) return
          const before = await worth(right, given)
          for (const more of [
            [...given, wrong[0]],
            [wrong[0], ...given],
          ])
            expect(await worth(right, more)).toBeLessThanOrEqual(before + 1e-9)
        }),
        runs,
      ))

    test('one more right thing never costs', () =>
      fc.assert(
        fc.asyncProperty(answers, async ({ right, wrong, keep }) => {
          const given = [...right.slice(1).filter((_, index) => keep[index]), ...wrong.slice(1)]
          if (given.length === 0) return
          // Its length term counts every box: a right one beyond the wanted number costs, too.
          if (name === 'vlm-r1 odLength' && given.length >= right.length) return
          const before = await worth(right, given)
          for (const more of [
            [...given, right[0]],
            [right[0], ...given],
          ])
            expect(await worth(right, more)).toBeGreaterThanOrEqual(before - 1e-9)
        }),
        runs,
      ))

    test('repeating a right thing never pays, and the order of writing is no merit', () =>
      fc.assert(
        fc.asyncProperty(answers, async ({ right, wrong, keep }) => {
          const given = [right[0], ...right.slice(1).filter((_, index) => keep[index]), ...wrong.slice(1)]
          const before = await worth(right, given)
          expect(await worth(right, [...given, right[0]])).toBeLessThanOrEqual(before + 1e-9)
          expect(await worth(right, [...given].reverse())).toBeCloseTo(before, 9)
          expect(await worth(right, right)).toBeGreaterThanOrEqual(before - 1e-9)
        }),
        runs,
      ))
  },
)
