// Samples per second and core of the box rewards on short outputs: two objects found, one a few pixels off.
//
//   npm run -s bench -- boxes [--json]
import type { Reward, Sample } from '../src/core/index.ts'
import { dipR1 } from '../src/methods/dip-r1.ts'
import { gotR1 } from '../src/methods/got-r1.ts'
import { visionR1 } from '../src/methods/vision-r1.ts'
import { visualRft } from '../src/methods/visual-rft.ts'
import { vlmR1 } from '../src/methods/vlm-r1.ts'
import { boxes } from '../src/rewards/verifiable/boxes/detection-reward.ts'
import { print, throughput } from './_throughput.ts'

const gold = [
  { bbox_2d: [10, 10, 50, 50], label: 'red circle' },
  { bbox_2d: [60, 10, 100, 50], label: 'blue square' },
]
const found = [{ ...gold[0]!, bbox_2d: [12, 10, 50, 50] }, gold[1]!]
const fence = `\`\`\`json\n${JSON.stringify(found)}\n\`\`\``
const tagged = (answer: string) => `<think>Two shapes.</think><answer>${answer}</answer>`
const positions = `[${found.map(({ bbox_2d }) => `{'Position': [${bbox_2d}], 'Confidence': 0.9}`).join(', ')}]`
const looked = `<think>Two shapes.</think><look>[[0, 0, 30, 30]]</look><answer>${JSON.stringify(found)}</answer>`
const object = (name: string, [x1, y1, x2, y2]: readonly number[]) =>
  `<|obj_start|>${name}<|obj_end|><|box_start|>(${x1},${y1}),(${x2},${y2})<|box_end|>`
const plan = gold.map(({ label, bbox_2d }) => object(label, bbox_2d)).join(' left of ')
const size = { width: 128, height: 128, input_width: 128, input_height: 128 }
const judged = {
  prompt_image: 0.8,
  semantic: 0.7,
  spatial: 0.9,
  grounded: gold.map(({ bbox_2d }) => bbox_2d),
}

type Case = readonly [
  name: string,
  reward: Reward,
  output: Sample['output'],
  reference: Sample['reference'],
  meta?: Sample['meta'],
]
const cases: readonly Case[] = [
  ['boxes', boxes(), fence, gold],
  ['boxes, ap', boxes({ score: 'ap' }), fence, gold],
  ['vlm-r1, rec', vlmR1({ method: 'rec' }), tagged('{"bbox_2d": [12, 10, 50, 50]}'), [10, 10, 50, 50], size],
  ...(['od_ap', 'od_ap50', 'odLength', 'weighted_sum'] as const).flatMap((method): Case[] => [
    [`vlm-r1, ${method}`, vlmR1({ method }), tagged(fence), gold],
    [`vlm-r1, ${method}, released`, vlmR1({ method, variant: 'released' }), tagged(fence), gold],
  ]),
  ['vlm-r1, mcq', vlmR1({ method: 'mcq' }), tagged('B'), 'B'],
  ['vlm-r1, yes_no', vlmR1({ method: 'yes_no' }), tagged('Yes.'), 'yes'],
  ['vlm-r1, all_match', vlmR1({ method: 'all_match' }), tagged('red circle'), 'red circle'],
  ['vlm-r1, default', vlmR1(), tagged('red circle'), 'red square'],
  ['visual-rft, detection', visualRft(), tagged(positions), gold],
  ['visual-rft, classification', visualRft({ task: 'classification' }), tagged('Boeing_737'), 'boeing 737'],
  [
    'visual-rft, grounding',
    visualRft({ task: 'grounding' }),
    tagged('(100,100),(500,500)'),
    '(300,100),(700,500)',
  ],
  ['vision-r1', visionR1(), fence, gold, size],
  ['vision-r1, released', visionR1({ variant: 'released' }), fence, gold, size],
  ['got-r1', gotR1(), plan, undefined, judged],
  ['dip-r1, groups of 8', dipR1(), looked, gold, size],
]

const batch = 256
const rows = []
for (const [name, reward, output, reference, meta = {}] of cases) {
  const samples: Sample[] = Array.from({ length: batch }, (_, index) => ({
    id: String(index),
    prompt: 'p',
    group: String(index >> 3),
    output,
    ...(reference === undefined ? {} : { reference }),
    meta,
  }))
  const perSecond = await throughput(batch, () => reward.score(samples), {
    runs: 15,
    warmups: 40,
    minimumMs: 15,
  })
  rows.push({ reward: name, 'samples/s per core': Math.round(perSecond) })
}
print(rows)
