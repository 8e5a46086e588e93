import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { captionOf } from './caption.ts'
import { judgePainting } from './painting.ts'
import { renderScene, toRaster } from './raster.ts'
import { sceneWorld } from './scene-world.ts'

const scenes = sceneWorld({ seed: 'painting', split: 'test', objects: [1, 3] }).scenes(60)

test('a rendered scene is as its captions say, with three or four bytes a pixel', () => {
  for (const scene of scenes)
    for (const style of ['short', 'full', 'relations'] as const) {
      const caption = `${captionOf(scene, new Rng(scene.id), { style })} the background is ${scene.background}.`
      const pixels = renderScene(scene)
      const judged = judgePainting(caption, pixels)
      expect(judged, caption).toMatchObject({ objectsRight: true, countRight: true, allRight: true })
      expect(judgePainting(caption, toRaster(pixels))).toEqual(judged)
    }
})

test('what the caption does not list counts against the image, and so does what is missing', () => {
  for (const scene of scenes.filter(({ objects }) => objects.length > 1)) {
    const caption = captionOf(scene, new Rng(0))
    const fewer = { ...scene, objects: scene.objects.slice(1) }
    expect(judgePainting(caption, renderScene(fewer))).toMatchObject({
      objectsRight: false,
      countRight: false,
    })
    expect(judgePainting(captionOf(fewer, new Rng(0)), renderScene(scene))).toMatchObject({
      objectsRight: false,
      countRight: false,
      allRight: false,
    })
  }
})

test('the right objects in the wrong place are right objects', () => {
  const scene = scenes.find(({ objects }) => objects.length === 1)!
  const [object] = scene.objects
  const name = `${object!.size} ${object!.colour} ${object!.shape}`
  const article = /^[aeiou]/.test(name) ? 'an' : 'a'
  const everywhere = ['top left', 'bottom right'].map(
    (place) => judgePainting(`${article} ${name} at the ${place}.`, renderScene(scene)).allRight,
  )
  expect(everywhere).not.toEqual([true, true])
  expect(judgePainting(`${article} ${name} at the top left.`, renderScene(scene)).objectsRight).toBe(true)
})

test('a caption that lists no objects says nothing of them', () => {
  const judged = judgePainting('the background is white.', renderScene(scenes[0]!))
  expect(judged).toMatchObject({ objectsRight: null, countRight: null, allRight: false })
})
