// A contact sheet: scenes of the world above, what `scenes-gen` paints from their captions below.
// node examples/paint-scenes.ts [weights or name] [file.png]
import { writeFile } from 'node:fs/promises'
import { Rng } from 'guerdon'
import { loadEmbedded } from 'guerdon/embedded'
import { scenes as world } from 'guerdon/worlds'

const { captionOf, contactSheet, encodePng, judgePainting, renderScene, sceneWorld } = world
const [weights = 'scenes-gen', file = 'scenes.png'] = process.argv.slice(2)
const scenes = sceneWorld({ seed: 'sheet', split: 'test', objects: [1, 2] }).scenes(16)
const captions = scenes.map(
  (scene) =>
    `${captionOf(scene, new Rng(scene.id), { style: 'full' })} the background is ${scene.background}.`,
)
const model = await loadEmbedded(weights)
if (model.kind !== 'images') throw new Error(`${weights} paints no images`)
const painted = await model.generate(captions, { guidance: 2 })
await model.dispose()

const pixels = painted.map(({ output: { width, height, data } }) => ({
  width,
  height,
  data: data.filter((_, index) => index % 4 !== 3),
}))
await writeFile(
  file,
  encodePng(contactSheet([...scenes.map(renderScene), ...pixels], { columns: 16, scale: 2 })),
)
captions.forEach((caption, index) => {
  const { allRight, recognised } = judgePainting(caption, painted[index]!.output)
  const seen = recognised.scene.objects.map(({ size, colour, shape }) => `${size} ${colour} ${shape}`)
  console.log(allRight ? 'right' : 'wrong', '|', caption, '|', seen.join(', ') || 'nothing')
})
