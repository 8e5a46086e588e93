import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import type { Json, Score } from '../core/index.ts'
import { visualRft } from './visual-rft.ts'

type Settings = Parameters<typeof visualRft>[0]

async function judge(output: string, reference: Json, settings: Settings = {}): Promise<Score> {
  return (await visualRft(settings).score([{ id: 's', prompt: 'p', output, reference, meta: {} }]))[0]!
}
const term =
  (name: string, task: NonNullable<Settings>['task']) =>
  async ({ output, gold, ...settings }: { output: string; gold: Json }, { variant }: { variant?: string }) =>
    (await judge(output, gold, { ...settings, task, variant: variant as 'released' })).parts?.[name]

testVectors('visual-rft', {
  'visual_rft.det_iou_reward': term('iou', 'detection'),
  'visual_rft.det_confidence_reward': term('confidence', 'detection'),
  'visual_rft.cls_reward': term('accuracy', 'classification'),
  'visual_rft.lisa_giou_reward': term('giou', 'grounding'),
})

const gold = [
  [10, 10, 50, 50],
  [60, 10, 100, 50],
]
const item = (box: readonly number[], confidence: number) =>
  `{'Position': [${box}], 'Confidence': ${confidence}}`
const answer = (content: string) => `<think>t</think><answer>${content}</answer>`
const list = (...items: string[]) => answer(`[${items.join(', ')}]`)
const parts = async (
  output: string,
  reference: Json,
  variant: 'released' | 'paper' | 'guarded',
  task: NonNullable<Settings>['task'] = 'detection',
) => (await judge(output, reference, { variant, task })).parts!

describe('detection', () => {
  test('a single sure box is best for confidence; the guard counts what it misses', async () => {
    const one = list(item(gold[0]!, 1))
    expect(await parts(one, gold, 'released')).toMatchObject({ iou: 0.5, confidence: 1 })
    expect(await parts(one, gold, 'guarded')).toMatchObject({ iou: 0.5, confidence: 0.5 })
    expect(await parts(one, gold, 'paper')).toMatchObject({ iou: 1, confidence: 1 })
  })

  test('one confidence beyond 1 makes up for many misses, unless guarded', async () => {
    const boast = list(item(gold[0]!, 50), item([0, 60, 9, 70], 1), item([0, 80, 9, 90], 1))
    expect((await parts(boast, gold, 'released')).confidence).toBe(1)
    expect((await parts(boast, gold, 'guarded')).confidence).toBe(0)
  })

  test('an infinite confidence is none', async () => {
    const endless = answer("[{'Position': [10, 10, 50, 50], 'Confidence': 1e999}]")
    expect(await parts(endless, gold, 'released')).toMatchObject({ iou: 0, confidence: 0 })
    expect(await parts(endless, gold, 'guarded')).toMatchObject({ iou: 0, confidence: 0 })
  })

  test('a confident mediocre box takes the object from a better one; a confident bad one takes nothing', async () => {
    const mediocre = list(item([10, 10, 50, 40], 0.9), item([10, 10, 50, 50], 0.5))
    expect((await parts(mediocre, [gold[0]!], 'released')).iou).toBeCloseTo(0.75 / 2, 12)
    const bad = list(item([10, 10, 50, 20], 0.9), item([10, 10, 50, 50], 0.5))
    expect((await parts(bad, [gold[0]!], 'released')).iou).toBeCloseTo(0.5, 12)
  })

  test('a line break silently scores 0 as released, and is read by the guard', async () => {
    const broken = answer(`[${item(gold[0]!, 1)},\n${item(gold[1]!, 1)}]`)
    expect(await parts(broken, gold, 'released')).toMatchObject({ iou: 0, confidence: 0 })
    expect(await parts(broken, gold, 'guarded')).toMatchObject({ iou: 1, confidence: 1 })
  })

  test('output that was cut off is scored on its complete items', async () => {
    const cut = `<think>t</think><answer>[${item(gold[0]!, 1)}, {'Position': [60, 10`
    expect(await parts(cut, gold, 'released')).toMatchObject({ iou: 0 }) // the closing tag is missing too
    expect(await parts(cut, gold, 'guarded')).toMatchObject({ iou: 0.5, confidence: 0.5, format: 0 })
  })

  test('one item without its confidence spoils the list as released, and is one wrong box for the guard', async () => {
    const mixed = list(item(gold[0]!, 1), item(gold[1]!, 1), "{'Position': [1, 2, 3, 4]}")
    expect(await parts(mixed, gold, 'released')).toMatchObject({ iou: 0, confidence: 0 })
    expect((await parts(mixed, gold, 'guarded')).iou).toBeCloseTo(2 / 3, 12)
  })

  test('where nothing is to be found, a stated empty list is right and nothing else is', async () => {
    expect(await parts(answer('[]'), [], 'guarded')).toMatchObject({ iou: 1, confidence: 1 })
    expect(await parts(answer(''), [], 'guarded')).toMatchObject({ iou: 0, confidence: 0, format: 0 })
    expect(await parts(list(item(gold[0]!, 1)), [], 'guarded')).toMatchObject({ iou: 0, confidence: 0 })
  })

  test('gold in the released writing', async () => {
    const text = `<answer>[${item(gold[0]!, 1)}, ${item(gold[1]!, 1)}]</answer>`
    expect(await parts(list(item(gold[0]!, 1), item(gold[1]!, 1)), text, 'guarded')).toEqual({
      iou: 1,
      confidence: 1,
      format: 1,
    })
  })
})

describe('attacks on classification and the shortcut', () => {
  test('an empty answer or one letter is contained in every name', async () => {
    for (const cheat of ['', 'a', '3', ' _ ']) {
      expect((await parts(answer(cheat), 'A340', 'released', 'classification')).accuracy, cheat).toBe(1)
      expect((await parts(answer(cheat), 'A340', 'guarded', 'classification')).accuracy, cheat).toBe(0)
    }
  })

  test('naming more than the class is right only where asked for', async () => {
    const settings = { task: 'classification' } as const
    const wordy = answer('an Airbus A340')
    expect((await judge(wordy, 'A340', settings)).parts!.accuracy).toBe(0)
    expect((await judge(wordy, 'A340', { ...settings, classMatch: 'contained' })).parts!.accuracy).toBe(1)
    expect((await judge(answer('A'), 'A340', { ...settings, classMatch: 'contained' })).parts!.accuracy).toBe(
      0,
    )
  })

  test('the shortcut pays any number, and is off by default', async () => {
    const cheat = list(item([0, 60, 9, 70], 0.1))
    expect((await judge(cheat, gold, { variant: 'released', symbolicShortcut: true })).value).toBe(3)
    expect((await judge(cheat, gold, { variant: 'released' })).value).toBeLessThan(2)
  })
})

describe('grounding', () => {
  test('equal texts earn 2 as released even when they hold no box; the guard wants a box as gold', async () => {
    expect((await parts(answer('(1,1),(5,5)'), '(1,1),(5,5)', 'released', 'grounding')).giou).toBe(2)
    expect((await parts(answer('(1,1),(5,5)'), '(1,1),(5,5)', 'guarded', 'grounding')).giou).toBe(2)
    expect(await judge(answer('nothing'), 'nothing', { task: 'grounding' })).toMatchObject({
      code: 'bad-input',
    })
  })

  test('of two boxes the released code makes one of their first corners', async () => {
    const two = answer('(0,0),(10,10), (100,100),(500,500)')
    expect((await parts(two, '(0,0),(100,100)', 'released', 'grounding')).giou).toBe(2)
    expect((await parts(two, '(0,0),(10,10)', 'guarded', 'grounding')).giou).toBe(2)
  })

  test('unreadable is 0, the least of all', async () => {
    expect((await parts(answer('top left'), '(0,0),(10,10)', 'guarded', 'grounding')).giou).toBe(0)
    expect(
      (await parts(answer('(900,900),(999,999)'), '(0,0),(10,10)', 'guarded', 'grounding')).giou,
    ).toBeGreaterThan(0)
  })
})
