// COCO average precision against pycocotools, both in this run, on the set detection-coco.
//
//   npm run -s bench -- average-precision [--copies 1] [--json]
//
// The peer runs where the Python named by GUERDON_PYTHON (default python3) has pycocotools; else its recorded time is
// shown. Its time is that of evaluate, accumulate and summarize alone; ours holds reading the rows into columns too.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { averagePrecision } from '../src/rewards/verifiable/boxes/average-precision.ts'
import { detectionsFromCoco, goldFromCoco } from '../src/rewards/verifiable/boxes/coco-format.ts'
import { sharedData } from '../tests/shared-data.ts'
import { fastestMs, print } from './_throughput.ts'

const peer = `
import contextlib, io, json, sys, time
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
data = json.load(sys.stdin)
with contextlib.redirect_stdout(io.StringIO()):
    gold = COCO(); gold.dataset = data['gold']; gold.createIndex()
    detections = gold.loadRes(data['detections'])
    best = 1e9
    for _ in range(5):
        evaluation = COCOeval(gold, detections, 'bbox')
        start = time.process_time()
        evaluation.evaluate(); evaluation.accumulate(); evaluation.summarize()
        best = min(best, time.process_time() - start)
print(json.dumps({'seconds': best, 'stats': evaluation.stats.tolist()}))
`
/** Processor seconds of pycocotools 2.0.11 on one copy, on a machine of 2 cores with other work going on. */
const recorded = 0.25

const { values: settings } = parseArgs({
  options: { copies: { type: 'string', default: '1' }, json: { type: 'boolean' } },
})
const copies = Number(settings.copies)
const read = (file: string) => JSON.parse(readFileSync(join(sharedData, 'detection-coco', file), 'utf8'))
const gold = read('gt.json')
const results: { image_id: number }[] = read('dets.json')

// Further copies of the images under other ids.
const spread = <Row extends { image_id: number }>(rows: readonly Row[]) =>
  Array.from({ length: copies }, (_, copy) =>
    rows.map((row) => ({ ...row, image_id: row.image_id + copy * 1e6 })),
  ).flat()
const dataset = {
  images: spread(gold.images.map(({ id }: { id: number }) => ({ image_id: id }))).map(({ image_id }) => ({
    id: image_id,
  })),
  categories: gold.categories,
  annotations: spread<{ image_id: number }>(gold.annotations).map((row, index) => ({
    ...row,
    id: index + 1,
  })),
}
const detections = spread(results)

const goldRows = goldFromCoco(dataset)
const detectionRows = detectionsFromCoco(detections)
const evaluated = () => averagePrecision(goldRows, detectionRows, { boxes: 'xywh' })
const { ap, ap50, ap75, ar } = evaluated()
const ours = (await fastestMs(evaluated, { runs: 40 })) / 1000

const { status, stdout } = spawnSync(process.env.GUERDON_PYTHON ?? 'python3', ['-c', peer], {
  input: JSON.stringify({ gold: dataset, detections }),
  maxBuffer: 1 << 28,
})
const measured: { seconds: number; stats: number[] } | undefined =
  status === 0 ? JSON.parse(String(stdout)) : undefined
const theirs = measured?.seconds ?? recorded * copies
const difference =
  measured &&
  Math.max(
    ...[ap, ap50, ap75].map((value, index) => Math.abs(value! - measured.stats[index]!)),
    Math.abs(ar[100]! - measured.stats[8]!),
  )

print([
  {
    evaluation: 'guerdon',
    'processor ms': ours * 1000,
    'images/s': Math.round(dataset.images.length / ours),
  },
  {
    evaluation: measured ? 'pycocotools' : 'pycocotools (recorded, not run)',
    'processor ms': theirs * 1000,
    'images/s': Math.round(dataset.images.length / theirs),
  },
  {
    evaluation: `ratio${difference === undefined ? '' : `, largest difference ${difference.toExponential(1)}`}`,
    'processor ms': theirs / ours,
    'images/s': '',
  },
])
