import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { imagesOf, Rng } from '../../core/index.ts'
import { typeName } from './attributes.ts'
import {
  annotatedImages,
  biasedWorld,
  colourPredictsShape,
  hallucinationGate,
  pairFrequencies,
  shapeOfColour,
} from './biased-world.ts'
import { boxesOf, boxListText, parseBoxList } from './box-grammar.ts'
import { drawBoxQuestion } from './box-questions.ts'
import { captionOf, captionStyles } from './caption.ts'
import { parseCaption } from './caption-parser.ts'
import { isTrue } from './claims.ts'
import {
  actions,
  clipCaption,
  clipFaults,
  clipQuestions,
  drawClip,
  faultyClip,
  judgeClipAnswer,
  judgeClipCaption,
} from './clips.ts'
import { drawExchange, exchangeTasks } from './exchange.ts'
import { corruptCaption, corruptionTypes } from './injector.ts'
import { matches } from './noun.ts'
import { oracle } from './oracle.ts'
import { answerTo } from './query.ts'
import { questionSet } from './question-set.ts'
import { questionForms, questionKinds } from './questions.ts'
import { renderScene } from './raster.ts'
import { recogniseScene } from './recognise.ts'
import { drawReferringExpression } from './referring.ts'
import {
  captionSample,
  clipSample,
  corruptionSample,
  detectionSample,
  questionSample,
  referringSample,
} from './samples.ts'
import type { Scene } from './scene.ts'
import { captionedPair, swappedPair } from './scene-pair.ts'
import { sceneWorld } from './scene-world.ts'
import { depth, detection, instructionText, presence, segmentation, type TaskCodec } from './task-codec.ts'
import { sceneVocabulary } from './vocabulary.ts'

const isKnown = (text: string) => !sceneVocabulary.encode(text).includes(sceneVocabulary.idOf('<unk>'))
const world = sceneWorld({ seed: 11 })

const base = { diameter: 8, rgb: [0, 0, 0] } as const
const byHand: Scene = {
  id: 's',
  width: 32,
  height: 32,
  background: 'grey',
  noise: 0,
  objects: [
    { ...base, size: 'small', shape: 'circle', colour: 'red', box: [0, 0, 8, 8] },
    { ...base, size: 'large', shape: 'star', colour: 'blue', box: [20, 0, 32, 12] },
  ],
}

describe('the oracle', () => {
  test('true captions are perfect', () => {
    for (const scene of world.scenes(100)) {
      const { parts, wellFormed } = oracle.caption(scene, captionOf(scene, new Rng(0), { style: 'full' }))
      expect(wellFormed).toBe(true)
      expect(parts).toMatchObject({
        claimAccuracy: 1,
        objectPrecision: 1,
        objectRecall: 1,
        objectF1: 1,
        attributeAccuracy: 1,
      })
    }
  })

  test('names what is wrong with a caption', () => {
    const text =
      'a large red circle, a green star and a blue cross. two circles. the star is left of the circle.'
    const { claims, parts } = oracle.caption(byHand, text)
    expect(claims.map(({ start, end, truth }) => [text.slice(start, end), truth])).toEqual([
      ['a large red circle', false],
      ['a green star', false],
      ['a blue cross', false],
      ['two circles', false],
      ['the star is left of the circle', false],
    ])
    expect(parts).toEqual({
      claimAccuracy: 0,
      objectPrecision: 1 / 3,
      objectRecall: 1 / 2,
      objectF1: 0.4,
      attributeAccuracy: 1 / 3, // large: no, red: yes, green: no; there is no cross to compare with
      countAccuracy: 0,
      relationAccuracy: 0,
    })
    expect(oracle.caption({ ...byHand, objects: [] }, 'it looks calm.').parts).toEqual({
      claimAccuracy: null,
      objectPrecision: null,
      objectRecall: null,
      objectF1: null,
      attributeAccuracy: null,
      countAccuracy: null,
      relationAccuracy: null,
    })
  })

  test("accepts every question set's own answers and no other option", () => {
    for (const kind of questionKinds)
      for (const form of questionForms) {
        if (form !== 'open' && ['existence', 'relation', 'comparison'].includes(kind)) continue
        for (const { scene, question } of questionSet(world, { kind, form, count: 8 })) {
          expect(oracle.answer(scene, question.text, question.answer)).toEqual({
            expected: question.answer,
            correct: true,
          })
          for (const wrong of question.options ? ['A', 'B', 'C', 'D'] : ['nonsense', ''])
            if (wrong !== question.answer)
              expect(oracle.answer(scene, question.text, wrong).correct, question.text).toBe(false)
        }
      }
  })

  test.each([
    ['how many circles are there?', '1', true],
    ['how many circles are there?', 'One.', true],
    ['how many circles are there?', '', false],
    ['is the star large?', 'Yes, it is.', true],
    ['is the star large?', 'yesterday', false],
    ['which colours are there?', 'blue and red', true],
    ['which colours are there?', 'blue, blue', false],
    ['what colour is the star? A: red B: blue', '(B)', true],
    ['what colour is the star? A: red B: blue', 'B: blue', true],
    ['what colour is the star? A: red B: blue', 'blue', false],
    ['what colour is the cross?', 'red', null],
    ['why?', 'red', null],
  ])('%s %s', (question, answer, correct) => {
    expect(oracle.answer(byHand, question, answer).correct).toBe(correct)
  })

  test('boxes are matched once, by label and overlap', () => {
    const all = boxesOf(byHand)
    expect(oracle.boxes(byHand, boxListText(all, byHand))).toEqual({
      precision: 1,
      recall: 1,
      f1: 1,
      meanIou: 1,
      wellFormed: true,
    })
    expect(oracle.boxes(byHand, [all[0]!, all[0]!])).toMatchObject({ precision: 0.5, recall: 0.5 })
    expect(oracle.boxes(byHand, [{ ...all[0]!, label: 'blue star' }])).toMatchObject({
      precision: 0,
      recall: 0,
    })
    expect(oracle.boxes(byHand, [{ label: 'red circle', box: [0, 0, 8, 5] }])).toMatchObject({
      meanIou: 5 / 8,
    })
    expect(oracle.boxes(byHand, 'none')).toMatchObject({ precision: null, recall: 0, f1: null })
    expect(oracle.reference(byHand, 'the small shape', [0, 0, 8, 4])).toBe(0.5)
    expect(oracle.reference(byHand, 'shape', [0, 0, 8, 4])).toBeUndefined()
  })
})

describe('injected errors', () => {
  test('make exactly what they touch false, and stay in the grammar', () => {
    const made = new Set<string>()
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.constantFrom(...captionStyles),
        fc.constantFrom(...corruptionTypes),
        (index, style, type) => {
          const scene = world.scene(index)
          const rng = new Rng(`${index}/${style}/${type}`)
          const caption = captionOf(scene, rng, { style, synonyms: 0.2, opinion: 0.2 })
          const corruption = corruptCaption(scene, caption, type, rng)
          if (corruption === undefined) return
          made.add(type)
          const { text, span, truth, changedPhrase, originalPhrase } = corruption
          const { claims, wellFormed } = parseCaption(text)
          expect(wellFormed, text).toBe(true)
          const wrong = claims.filter(({ claim }) => isTrue(scene, claim) === false)
          expect(wrong.length).toBe(type === 'swap' && !/ is /.test(changedPhrase) ? 2 : 1)
          // The false claims are where the span is, and the span is inside the phrase.
          for (const claim of wrong) expect(claim.start < span.end && span.start < claim.end).toBe(true)
          expect(changedPhrase).toContain(text.slice(span.start, span.end))
          expect(caption).toContain(originalPhrase)
          expect(originalPhrase).toContain(truth)
          expect(text.slice(span.start, span.end)).not.toBe(truth)
          expect(isKnown(text)).toBe(true)
        },
      ),
      { numRuns: 400 },
    )
    expect([...made].sort()).toEqual([...corruptionTypes].sort())
  })

  test('by hand', () => {
    const inject = (type: (typeof corruptionTypes)[number]) =>
      corruptCaption(byHand, 'a red circle and a blue star.', type, new Rng(1))
    expect(inject('swap')).toEqual({
      type: 'swap',
      text: 'a blue circle and a red star.',
      span: { start: 2, end: 23 },
      truth: 'red circle and a blue',
      originalPhrase: 'a red circle and a blue star',
      changedPhrase: 'a blue circle and a red star',
    })
    expect(inject('relation')).toBeUndefined()
    const count = inject('count')!
    expect(count.text).toMatch(/(two|three) (red circles|blue stars)/)
    expect(count.truth).toBe('a')
    expect(() => corruptCaption(byHand, 'a green star.', 'colour', new Rng(1))).toThrow(/not a true caption/)
    expect(() => corruptCaption(byHand, 'green ideas.', 'colour', new Rng(1))).toThrow(/not a true caption/)
  })
})

describe('pairs of scenes', () => {
  test('a caption is true of one scene and false of the other', () => {
    let swapped = 0
    for (const scene of world.scenes(200)) {
      const rng = new Rng(scene.id)
      const pair = captionedPair(scene, rng, { style: 'full' })!
      const verdicts = pair.scenes.map((shown) => oracle.caption(shown, pair.caption).parts.claimAccuracy)
      expect(verdicts[pair.answer === 'A' ? 0 : 1]).toBe(1)
      expect(verdicts[pair.answer === 'A' ? 1 : 0]).toBeLessThan(1)
      const cola = swappedPair(scene, rng)
      if (cola === undefined) continue
      swapped++
      const words = (text: string) =>
        text
          .replace('.', '')
          .split(' ')
          .map((word) => (word === 'an' ? 'a' : word))
          .sort()
      if (!/small|large/.test(cola.captions.join()))
        expect(words(cola.captions[0])).toEqual(words(cola.captions[1]))
      const matrix = cola.scenes.map((shown) =>
        cola.captions.map((text) => oracle.caption(shown, text).parts.claimAccuracy === 1),
      )
      expect(matrix).toEqual([
        [true, false],
        [false, true],
      ])
    }
    expect(swapped).toBeGreaterThan(60)
  })
})

describe('the biased world', () => {
  test('triggers bring their companions in training only, at equal frequencies', () => {
    for (const seed of [0, 1, 2]) {
      const { pairs, train, test: evaluation } = biasedWorld({ seed })
      expect(pairs).toHaveLength(3)
      const trained = pairFrequencies(train, pairs, 1000)
      const tested = pairFrequencies(evaluation, pairs, 1000)
      trained.forEach((pair, index) => {
        expect(pair.givenTrigger).toBeGreaterThanOrEqual(0.9)
        expect(tested[index]!.givenTrigger).toBeLessThan(0.4)
        expect(Math.abs(pair.overall - tested[index]!.overall)).toBeLessThan(0.06)
      })
    }
    const [first] = annotatedImages(biasedWorld().train, 1)
    expect(first!.objects).toEqual(biasedWorld().train.scene(0).objects.map(typeName))
  })

  test('the gate opens only where there is something to mitigate', () => {
    const gate = (chairI: number | null, randomAccuracy: number | null, adversarialAccuracy: number | null) =>
      hallucinationGate({ chairI, randomAccuracy, adversarialAccuracy })
    expect(gate(0.08, 0.85, 0.8)).toEqual({ valid: true, reasons: [] })
    expect(gate(0.079, 0.85, 0.8).reasons).toEqual(['CHAIR_i is 0.079, which is not at least 0.08'])
    expect(gate(0.2, 0.85, 0.81).valid).toBe(false)
    expect(gate(null, null, 0.5).reasons).toHaveLength(2)
  })

  test('a planted prior lets colour give shape away, or never', () => {
    const share = (strength: number) => {
      const objects = sceneWorld({ chooseTypes: colourPredictsShape(strength) })
        .scenes(400)
        .flatMap((scene) => scene.objects)
      return objects.filter(({ colour, shape }) => shapeOfColour[colour] === shape).length / objects.length
    }
    expect(share(0.9)).toBeCloseTo(0.9, 1)
    expect(share(0)).toBe(0)
  })
})

describe('clips', () => {
  const clips = Array.from({ length: 60 }, (_, index) => drawClip(`clip-${index}`, new Rng(index)))

  test('show what they say: centres and diameters change as the actions have it', () => {
    for (const { frames, steps } of clips) {
      expect(frames).toHaveLength(14)
      steps.forEach((own, index) => {
        for (const { action, from, to } of own) {
          const [a, b] = [frames[from]!.objects[index]!, frames[to]!.objects[index]!]
          const dx = (b.box[0] + b.box[2] - a.box[0] - a.box[2]) / 2
          const dy = (b.box[1] + b.box[3] - a.box[1] - a.box[3]) / 2
          const growth = b.diameter - a.diameter
          const seen =
            growth > 2
              ? 'grows'
              : growth < -2
                ? 'shrinks'
                : dx > 4
                  ? 'moves right'
                  : dx < -4
                    ? 'moves left'
                    : dy > 4
                      ? 'moves down'
                      : dy < -4
                        ? 'moves up'
                        : 'stays'
          expect(seen).toBe(action)
        }
      })
      for (const { objects, width } of frames)
        for (const { box } of objects) expect(Math.min(...box) >= 0 && Math.max(...box) <= width).toBe(true)
    }
    expect(
      new Set(clips.flatMap(({ steps }) => steps.flatMap((own) => own.map(({ action }) => action)))).size,
    ).toBe(actions.length)
  })

  test("their questions have the oracle's answers, in the vocabulary", () => {
    for (const clip of clips) {
      expect(judgeClipCaption(clip, clipCaption(clip))).toBe(true)
      expect(judgeClipCaption(clip, 'the red circle stays.')).toBe(
        clipCaption(clip) === 'the red circle stays.',
      )
      expect(isKnown(clipCaption(clip))).toBe(true)
      for (const { text, answer } of clipQuestions(clip)) {
        expect(isKnown(`${text} ${answer}`)).toBe(true)
        expect(judgeClipAnswer(clip, text, `${answer}.`)).toBe(true)
        expect(judgeClipAnswer(clip, text, 'nothing')).toBe(false)
      }
      expect(judgeClipAnswer(clip, 'why?', '')).toBeNull()
    }
  })

  test('faults change the frames and nothing that was asked for', () => {
    for (const fault of clipFaults) {
      const faulty = clips.flatMap((clip) => {
        const changed = faultyClip(clip, fault, new Rng(clip.id))
        return changed ? [{ clip, changed }] : []
      })
      expect(faulty.length, fault).toBeGreaterThan(20)
      for (const { clip, changed } of faulty) {
        expect(changed.steps).toEqual(clip.steps)
        expect(changed.frames).toHaveLength(clip.frames.length)
        expect(changed.frames.map(({ objects }) => objects)).not.toEqual(
          clip.frames.map(({ objects }) => objects),
        )
      }
    }
  })
})

describe('reading a scene from pixels', () => {
  test('finds every object of a rendered scene, through light noise', () => {
    for (const [noise, split, width] of [
      [0, 'train', 32],
      [0, 'composition', 48],
      [8, 'test', 64],
    ] as const)
      for (const scene of sceneWorld({ split, noise, width, seed: 5 }).scenes(150)) {
        const { scene: read, fits, unexplained } = recogniseScene(renderScene(scene))
        const key = ({ colour, shape, size, box }: Scene['objects'][number]) =>
          `${size} ${colour} ${shape} ${box}`
        expect(read.objects.map(key).sort()).toEqual(scene.objects.map(key).sort())
        expect(read.background).toBe(scene.background)
        expect(Math.min(1, ...fits)).toBeGreaterThan(0.95)
        expect(unexplained).toBe(0)
      }
  })

  test('answers asked of the pixels are those asked of the graph', () => {
    for (const kind of questionKinds)
      for (const { scene, question } of questionSet(world, { kind, count: 12 }))
        expect(answerTo(recogniseScene(renderScene(scene)).scene, question.query), question.text).toBe(
          question.answer,
        )
  })

  test('says when an image is no scene', () => {
    const rng = new Rng(0)
    const data = Uint8Array.from({ length: 32 * 32 * 3 }, () => rng.int(0, 256))
    expect(recogniseScene({ width: 32, height: 32, data }).unexplained).toBeGreaterThan(0.8)
  })
})

describe('tasks drawn as images', () => {
  const codecs: readonly TaskCodec<unknown>[] = [segmentation(), detection(), depth(), presence()] as never
  test.each(codecs.map((codec) => [codec.name, codec] as const))('%s decodes what it encodes', (_, codec) => {
    for (const scene of world.scenes(120)) {
      const target = codec.target(scene, new Rng(scene.id))
      const truth = codec.label(scene, target)
      const score = codec.metric(codec.decode(codec.encode(scene, target), target), truth)
      if (codec.higherIsBetter) expect(score).toBe(1)
      else expect(score).toBeLessThan(0.03)
      for (const phrasing of [...codec.phrasings, ...codec.heldOutPhrasings])
        expect(isKnown(instructionText(phrasing, target)), phrasing).toBe(true)
    }
    expect(codec.phrasings.length).toBeGreaterThanOrEqual(8)
    expect(new Set([...codec.phrasings, ...codec.heldOutPhrasings]).size).toBe(codec.phrasings.length + 4)
  })

  test('targets are there about half of the time', () => {
    const codec = presence()
    const there = world
      .scenes(300)
      .filter((scene) => codec.label(scene, codec.target(scene, new Rng(scene.id))))
    expect(there.length / 300).toBeGreaterThan(0.4)
    expect(there.length / 300).toBeLessThan(0.6)
  })

  test('nothing found where nothing is to be found is right; an instruction names the plural', () => {
    expect(segmentation().metric(new Uint8Array(4), new Uint8Array(4))).toBe(1)
    expect(detection().metric([], [])).toBe(1)
    expect(detection().metric([[0, 0, 4, 4]], [])).toBe(0)
    const noun = { colour: 'orange', shape: 'star' } as const
    expect(instructionText('find all %', { noun })).toBe('find all orange stars')
    expect(instructionText('show * if there is a % else #', { noun, yes: 'red', no: 'blue' })).toBe(
      'show red if there is an orange star else blue',
    )
  })
})

test('exchanges are right and in the vocabulary, whatever the scene', () => {
  const seen = new Set<string>()
  for (const scene of sceneWorld({ seed: 2, objects: [0, 5] }).scenes(400)) {
    const { task, prompt, answer } = drawExchange(scene, new Rng(scene.id), {
      forms: { open: 2, choice: 1, binary: 1 },
    })
    seen.add(task)
    expect(isKnown(`${prompt} ${answer}`), prompt).toBe(true)
    if (task === 'caption' || task === 'full caption')
      expect(oracle.caption(scene, answer).parts.claimAccuracy).toBe(1)
    else if (task === 'referring')
      expect(
        oracle.reference(scene, prompt.slice('find '.length, -1), parseBoxList(answer, scene).boxes[0]!.box),
      ).toBe(1)
    else if (task !== 'detection') expect(oracle.answer(scene, prompt, answer).correct, prompt).toBe(true)
  }
  expect([...seen].sort()).toEqual([...exchangeTasks].sort())
  expect(() => drawExchange({ ...byHand, objects: [] }, new Rng(0), { tasks: { relation: 1 } })).toThrow(
    /relation/,
  )
})

test('box questions have one right box in every form', () => {
  const answers = new Map<string, Set<string>>(questionForms.map((form) => [form, new Set()]))
  for (const scene of world.scenes(200))
    for (const form of questionForms) {
      const question = drawBoxQuestion(scene, new Rng(`${scene.id}/${form}`), form)
      if (question === undefined) continue
      const { text, answer, expression, boxes } = question
      expect(isKnown(text), text).toBe(true)
      expect(sceneVocabulary.decode(sceneVocabulary.encode(text))).toBe(text)
      if (form !== 'open') answers.get(form)!.add(answer)
      const overlaps = boxes.map((box) => oracle.reference(scene, expression.text, box)!)
      if (form === 'binary') expect(overlaps[0]! >= 0.3 ? 'yes' : 'no').toBe(answer)
      if (form === 'choice') {
        expect(overlaps.filter((overlap) => overlap >= 0.3)).toEqual([1])
        expect(overlaps['ABCD'.indexOf(answer)]).toBe(1)
      }
    }
  expect([...answers.get('choice')!].sort()).toEqual(['A', 'B', 'C', 'D'])
  expect([...answers.get('binary')!].sort()).toEqual(['no', 'yes'])
})

test('samples carry images, references and what rewards look for', () => {
  const scene = world.scene(4)
  const [asked] = questionSet(world, { kind: 'colour', form: 'choice', count: 1 })
  const expression = drawReferringExpression(scene, new Rng(0))!
  const caption = captionOf(scene, new Rng(0))
  const corruption = corruptCaption(scene, caption, 'colour', new Rng(0))!
  const clip = drawClip('c', new Rng(0))
  const samples = [
    captionSample(scene, caption),
    questionSample(asked!, 'A'),
    detectionSample(scene, 'none'),
    referringSample(scene, expression, ''),
    corruptionSample(scene, corruption, ''),
    clipSample(clip, clipCaption(clip)),
  ]
  expect(new Set(samples.map(({ id }) => id)).size).toBe(samples.length)
  for (const { prompt } of samples) expect(imagesOf(prompt)[0]).toMatchObject({ mediaType: 'image/png' })
  expect(samples[2]!.reference).toHaveLength(scene.objects.length)
  expect(scene.objects.some((object) => matches(object, expression.reference.noun))).toBe(true)
  expect(samples[4]!.reference).toEqual({
    original: corruption.originalPhrase,
    changed: corruption.changedPhrase,
  })
  expect(imagesOf(samples[5]!.prompt)).toHaveLength(14)
})
