// Scenes a second and core: drawing, painting, captions, questions, boxes.
//
//   npm run -s bench -- scenes [--json]
import { Rng } from '../src/core/index.ts'
import { boxesOf, boxListText } from '../src/worlds/scenes/box-grammar.ts'
import { captionOf } from '../src/worlds/scenes/caption.ts'
import { drawClip } from '../src/worlds/scenes/clips.ts'
import { corruptCaption } from '../src/worlds/scenes/injector.ts'
import { oracle } from '../src/worlds/scenes/oracle.ts'
import { encodePng } from '../src/worlds/scenes/png.ts'
import { drawQuestion, questionKinds } from '../src/worlds/scenes/questions.ts'
import { renderInto, renderScene } from '../src/worlds/scenes/raster.ts'
import { recogniseScene } from '../src/worlds/scenes/recognise.ts'
import { crowd } from '../src/worlds/scenes/scene.ts'
import { sceneWorld } from '../src/worlds/scenes/scene-world.ts'
import { sceneVocabulary } from '../src/worlds/scenes/vocabulary.ts'
import { print, throughput } from './_throughput.ts'

const batch = 256
const target = new Uint8Array(batch * 64 * 64 * 3)
const world = sceneWorld()
const scenes = world.scenes(batch)
const images = scenes.map(renderScene)
const captions = scenes.map((scene) => captionOf(scene, new Rng(scene.id), { style: 'full' }))
let next = 0

/** Draws and paints a batch of new scenes. */
function drawn(of: ReturnType<typeof sceneWorld>, bytes: number) {
  return () => {
    for (let i = 0; i < batch; i++) renderInto(of.scene(next++), target, i * bytes)
  }
}

const each = (work: (index: number) => unknown) => () => {
  for (let i = 0; i < batch; i++) work(i)
}

const cases: readonly (readonly [name: string, work: () => unknown])[] = [
  ['image 32 px, 1 to 5 objects', drawn(world, 32 * 32 * 3)],
  ['image 32 px, with noise', drawn(sceneWorld({ noise: 12 }), 32 * 32 * 3)],
  ['image 48 px', drawn(sceneWorld({ width: 48 }), 48 * 48 * 3)],
  ['image 64 px, crowd of 6 to 12', drawn(sceneWorld(crowd), 64 * 64 * 3)],
  ['PNG file, 32 px', each((i) => encodePng(images[i]!))],
  ['caption, short', each((i) => captionOf(scenes[i]!, new Rng(i)))],
  ['caption, paragraph', each((i) => captionOf(scenes[i]!, new Rng(i), { style: 'paragraph' }))],
  ['caption judged, full', each((i) => oracle.caption(scenes[i]!, captions[i]!))],
  ['caption as tokens, full', each((i) => sceneVocabulary.encode(captions[i]!))],
  ['error injected, full', each((i) => corruptCaption(scenes[i]!, captions[i]!, 'colour', new Rng(i)))],
  [
    'question, all kinds',
    each((i) => drawQuestion(scenes[i]!, questionKinds[i % questionKinds.length]!, new Rng(i))),
  ],
  ['box list', each((i) => boxListText(boxesOf(scenes[i]!), scenes[i]!))],
  ['scene read from pixels', each((i) => recogniseScene(images[i]!))],
  ['clip of 14 frames, drawn', each((i) => drawClip(`${i}`, new Rng(i)))],
]

const rows = []
for (const [name, work] of cases) {
  const perSecond = await throughput(batch, work, { runs: 5, warmups: 5, minimumMs: 60 })
  rows.push({ what: name, 'per second and core': Math.round(perSecond) })
}
print(rows)
