import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sample } from '../core/index.ts'
import { readSamples } from './index.ts'
import { trainingLayouts, writeTrainingRows } from './training-files.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'training-files-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const plain: Sample = { id: 'a', prompt: 'What is 2 + 2?', output: '4', reference: 4, meta: {} }
const seen: Sample = {
  id: 'b',
  prompt: [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'image', image: { path: 'cat.png' } },
        { type: 'text', text: 'What is this?' },
      ],
    },
  ],
  output: 'A cat.',
  reference: { kind: 'cat' },
  meta: { data_source: 'pets', ability: 'vision' },
}

async function rowsOf(rows: 'answers' | 'prompts', layout: string): Promise<any[]> {
  const file = join(folder, `${rows}-${layout}.jsonl`)
  expect(await writeTrainingRows(file, [plain, seen], { rows, layout })).toBe(2)
  return (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('answers: text stays text, dialogues and images become messages with marks', async () => {
  const [text, dialogue] = await rowsOf('answers', 'trl')
  expect(text).toEqual({ prompt: 'What is 2 + 2?', completion: '4' })
  expect(dialogue.completion).toEqual([{ role: 'assistant', content: 'A cat.' }])
  expect(dialogue.prompt[1].content[0]).toEqual({ type: 'image' })
  expect(dialogue.images).toEqual(['cat.png'])
  expect((await rowsOf('answers', 'openrlhf'))[0]).toEqual({ input: 'What is 2 + 2?', output: '4' })
  expect((await rowsOf('answers', 'verl'))[0].messages).toEqual([
    { role: 'user', content: 'What is 2 + 2?' },
    { role: 'assistant', content: '4' },
  ])
})

test('prompts carry the reference where the trainer hands it to the reward', async () => {
  expect(await rowsOf('prompts', 'trl')).toMatchObject([
    { prompt: 'What is 2 + 2?', reference: 4 },
    { reference: { kind: 'cat' }, images: ['cat.png'] },
  ])
  expect(await rowsOf('prompts', 'openrlhf')).toMatchObject([
    { input: 'What is 2 + 2?', label: '4' },
    { label: '{"kind":"cat"}' },
  ])
  expect(await rowsOf('prompts', 'verl')).toMatchObject([
    {
      data_source: 'guerdon',
      prompt: [{ role: 'user', content: 'What is 2 + 2?' }],
      ability: 'general',
      reward_model: { style: 'rule', ground_truth: 4 },
      extra_info: { index: 0, id: 'a' },
    },
    { data_source: 'pets', ability: 'vision', extra_info: { index: 1, id: 'b' } },
  ])
})

test('what is written is read back as the same prompts, answers and references', async () => {
  await rowsOf('prompts', 'verl')
  const read: Sample[] = []
  for await (const batch of readSamples(join(folder, 'prompts-verl.jsonl'), { promptsOnly: true }))
    read.push(...batch.samples)
  expect(read.map(({ reference }) => reference)).toEqual([4, { kind: 'cat' }])
  await rowsOf('answers', 'messages')
  const answers: Sample[] = []
  for await (const batch of readSamples(join(folder, 'answers-messages.jsonl')))
    answers.push(...batch.samples)
  expect(answers.map(({ output }) => JSON.stringify(output))).toEqual([
    expect.stringContaining('4'),
    expect.stringContaining('A cat.'),
  ])
})

test('a layout that does not exist is named with those that do', async () => {
  const wrong = writeTrainingRows(join(folder, 'x.jsonl'), [plain], { rows: 'prompts', layout: 'messages' })
  await expect(wrong).rejects.toThrow('Layouts: trl, openrlhf, verl')
  expect(trainingLayouts('answers')).toContain('messages')
})
