import type { Json, Part, Sample } from '../../core/index.ts'
import { boxesOf } from './box-grammar.ts'
import { type Clip, type ClipQuestion, clipCaption } from './clips.ts'
import { captionPrompt, detectionPrompt, referringPrompt } from './exchange.ts'
import type { Corruption } from './injector.ts'
import { type Noun, nounText } from './noun.ts'
import { encodePng } from './png.ts'
import type { SceneQuestion } from './question-set.ts'
import { renderScene } from './raster.ts'
import type { ReferringExpression } from './referring.ts'
import type { Scene } from './scene.ts'

/** The image of a scene as a part of a prompt: PNG bytes. */
export function imagePart(scene: Scene): Part {
  return { type: 'image', image: { bytes: encodePng(renderScene(scene)), mediaType: 'image/png' } }
}

/** The scene graph as JSON: objects with boxes in pixels. */
export function sceneJson(scene: Scene): Json {
  return {
    width: scene.width,
    height: scene.height,
    background: scene.background,
    objects: scene.objects.map(({ colour, shape, size, box }) => ({ colour, shape, size, bbox_2d: box })),
  }
}

/** Sizes under the names that box rewards look for; input and image are of one size here. */
function sizeMeta({ width, height }: Scene) {
  return { width, height, input_width: width, input_height: height }
}

function sampleOf(
  kind: string,
  scene: Scene,
  text: string,
  output: string,
  reference: Json,
  meta: Readonly<Record<string, Json>> = {},
): Sample {
  const id = `${scene.id}/${kind}/${text}`
  return {
    id,
    group: id,
    prompt: [imagePart(scene), { type: 'text', text }],
    output,
    reference,
    meta: { kind, scene: sceneJson(scene), ...sizeMeta(scene), ...meta },
  }
}

/** A caption to judge. The reference is the names of the objects that are there. */
export function captionSample(scene: Scene, output: string): Sample {
  const names = scene.objects.map(({ colour, shape }) => nounText({ colour, shape }))
  return sampleOf('caption', scene, captionPrompt(), output, names)
}

/** An answer to judge. The reference is the right one; `meta.facts` are sentences that give it away. */
export function questionSample({ scene, question }: SceneQuestion, output: string): Sample {
  const { kind, form, text, answer, facts, options } = question
  return sampleOf(kind, scene, text, output, answer, { form, facts, ...(options ? { options } : {}) })
}

/** A list of boxes to judge. The reference is `[{"bbox_2d": [x1, y1, x2, y2], "label": "red circle"}, ...]`, pixels. */
export function detectionSample(scene: Scene, output: string, noun: Noun = {}): Sample {
  const reference = boxesOf(scene, noun).map(({ label, box }) => ({ bbox_2d: box, label }))
  return sampleOf('detection', scene, detectionPrompt(noun), output, reference)
}

/** One box to judge. The reference is the box of the expression's only object, in pixels. */
export function referringSample(scene: Scene, expression: ReferringExpression, output: string): Sample {
  return sampleOf('referring', scene, referringPrompt(expression), output, expression.object.box)
}

/** A guess at the one error of a caption. The reference is the changed phrase, before and after. */
export function corruptionSample(scene: Scene, corruption: Corruption, output: string): Sample {
  const { text, type, originalPhrase, changedPhrase, span } = corruption
  const reference = { original: originalPhrase, changed: changedPhrase }
  const meta = { type, changed_caption: text, span: [span.start, span.end] }
  return sampleOf('corruption', scene, `what is wrong? ${text}`, output, reference, meta)
}

/** A caption of a clip, or an answer about it, to judge. The frames are a video part. */
export function clipSample(clip: Clip, output: string, question?: ClipQuestion): Sample {
  const text = question?.text ?? captionPrompt()
  const frames = clip.frames.map((frame) => ({
    bytes: encodePng(renderScene(frame)),
    mediaType: 'image/png',
  }))
  const id = `${clip.id}/${text}`
  return {
    id,
    group: id,
    prompt: [
      { type: 'video', frames },
      { type: 'text', text },
    ],
    output,
    reference: question?.answer ?? clipCaption(clip),
    meta: { kind: question === undefined ? 'clip-caption' : `clip-${question.kind}` },
  }
}
