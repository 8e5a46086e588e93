import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { imagesOf, type JsonObject, type Preference, promptText, type Sample, textOf } from '../core/index.ts'
import {
  conventions,
  type PreferenceLayout,
  type ReadOptions,
  readPreferences,
  readSamples,
  writePreferences,
  writeRecords,
  writeSamples,
} from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-conventions-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const fileOf = (rows: readonly unknown[]) => {
  const path = join(folder, `${++files}.jsonl`)
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

async function samplesIn(path: string, options?: ReadOptions) {
  const samples: Sample[] = []
  const errors: string[] = []
  for await (const batch of readSamples(path, options)) {
    samples.push(...batch.samples)
    errors.push(...batch.errors.map(({ message }) => message.slice(folder.length + 1)))
  }
  return { samples, errors }
}
const samplesOf = async (rows: readonly unknown[], options?: ReadOptions) =>
  (await samplesIn(fileOf(rows), options)).samples

async function preferencesOf(rows: readonly unknown[], options?: ReadOptions) {
  const preferences: Preference[] = []
  let ties = 0
  for await (const batch of readPreferences(fileOf(rows), options)) {
    preferences.push(...batch.preferences)
    ties += batch.ties
  }
  return { preferences, ties }
}

const user = (content: string) => ({ role: 'user' as const, content })
const assistant = (content: string) => ({ role: 'assistant' as const, content })

describe('native rows', () => {
  test('unknown columns are kept in meta; absent is not null is not empty', async () => {
    const rows = [
      {
        id: 'a',
        prompt: 'p',
        output: 'o',
        reference: null,
        group: 'g',
        meta: { x: 1 },
        extra: [0, null, ''],
      },
      { id: 7, prompt: '', output: '', reference: '' },
      { prompt: 'p', output: { boxes: [[0, 0, 1, 1]] } },
    ]
    expect(await samplesOf(rows)).toEqual([
      {
        id: 'a',
        prompt: 'p',
        output: 'o',
        reference: null,
        group: 'g',
        meta: { x: 1, extra: [0, null, ''] },
      },
      { id: '7', prompt: '', output: '', reference: '', meta: {} },
      { id: 'row-3', prompt: 'p', output: [{ type: 'json', json: { boxes: [[0, 0, 1, 1]] } }], meta: {} },
    ])
  })

  test('wrong types, missing fields and repeated ids name line and field; the rest is kept', async () => {
    const { samples, errors } = await samplesIn(
      fileOf([
        { id: 'a', prompt: 'p', output: 'o' },
        { id: 'b', prompt: 'p', output: 5 },
        { id: 'c', prompt: 'p' },
        { id: 'a', prompt: 'p', output: 'again' },
        { id: ['x'], prompt: 'p', output: 'o' },
        { id: 'e', prompt: [{ role: 'robot', content: 'x' }], output: 'o' },
        { id: 'f', prompt: [{ role: 'user', content: [{ type: 'text' }] }], output: 'o' },
        { id: 'row-9', prompt: 'p', output: 'o' },
        { prompt: 'p', output: 'row 9 by its line' },
      ]),
    )
    expect(samples.map(({ id }) => id)).toEqual(['a', 'row-9'])
    expect(errors.map((error) => error.replace(/^\d+\.jsonl:/, ''))).toEqual([
      '2, field "output": is a number, not text or a list of messages. Write text in double quotes.',
      '3, field "output": is missing. The row has id, prompt.',
      expect.stringMatching(/^5, field "id": is a list/),
      expect.stringMatching(/^6, field "prompt.0.role": is "robot". Roles: system/),
      expect.stringMatching(/^7, field "prompt.0.content.0.text": is missing, not text/),
      expect.stringMatching(/^4, field "id": the id "a" stands on line 1 already/),
      expect.stringMatching(/^9, field "id": the id "row-9" stands on line 8 already/),
    ])
  })

  test('what is written is read back as the same samples', async () => {
    const samples: Sample[] = [
      { id: 'plain', prompt: 'p', output: ' o', meta: {} },
      {
        id: 'rich',
        prompt: [
          { role: 'system', content: 's' },
          {
            role: 'user',
            content: [
              { type: 'image', image: { path: 'a b.png' } },
              { type: 'image', image: { url: 'https://x.org/a.png' } },
              { type: 'image' },
              { type: 'text', text: 'what?' },
              { type: 'video', frames: [{ path: '1.png' }], framesPerSecond: 2 },
            ],
          },
        ],
        output: [
          {
            role: 'assistant',
            content: '',
            toolCalls: [{ id: 'c', name: 'f', arguments: { a: [1, null] } }],
          },
          { role: 'tool', content: 'r', toolCallId: 'c', name: 'f' },
          { role: 'assistant', content: [{ type: 'json', json: { a: 1 } }] },
        ],
        reference: { gold: [] },
        group: 'g',
        meta: { model: 'm', label: null },
      },
    ]
    const path = join(folder, 'written.jsonl')
    expect(await writeSamples(path, samples)).toBe(2)
    expect((await samplesIn(path)).samples).toEqual(samples)
  })

  test('columns that fit nothing say what is known; a misspelt convention too', async () => {
    await expect(samplesOf([{ images: [], annotations: [{ a: 1 }] }])).rejects.toThrow(
      /read it with --at annotations \(`at` in code\)/,
    )
    await expect(samplesOf([{ prompt: 'p', output: ['a', 'b'] }])).rejects.toThrow(
      /field "output": is a list of texts/,
    )
    await expect(samplesOf([{ question: 'q', reply: 'r' }])).rejects.toThrow(
      /has the columns question, reply\. Say which column is what: --map prompt=question output=reply \(`mapping` in code\)\. Known kinds: guerdon/,
    )
    await expect(samplesOf([{ prompt: '', output: '' }], { convention: 'helpster' })).rejects.toThrow(
      /Did you mean "helpsteer"/,
    )
    await expect(samplesOf([{ prompt: '', output: '' }], { convention: 'kto' })).rejects.toThrow(
      /no row that can be used/,
    )
  })

  test('names are unique and every kind of row says whether it gives preferences', () => {
    const names = conventions.flatMap(({ name, aliases = [] }) => [name, ...aliases])
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('CSV', () => {
  test('samples written as CSV come back: dialogues, parts and meta are JSON text', async () => {
    const samples: Sample[] = [
      {
        id: '1',
        prompt: [user('q')],
        output: [{ type: 'json', json: [1] }],
        reference: '[1, 2]',
        group: 'g',
        meta: { a: 1 },
      },
      { id: '2', prompt: '[not json', output: '', reference: '007', meta: {} },
    ]
    const path = join(folder, 'samples.csv')
    await writeSamples(path, samples)
    expect((await samplesIn(path)).samples).toEqual(samples)
  })
})

describe('mapping', () => {
  const row = {
    qid: 3,
    question: 'q',
    gold: { text: 'g' },
    answers: [{ text: 'a' }, { text: 'b' }],
    'dotted.key': 1,
    set: 's',
  }
  test('dotted paths, several outputs, what is left is meta', async () => {
    expect(
      await samplesOf([row], {
        mapping: {
          prompt: 'question',
          output: 'answers.0.text',
          reference: 'gold.text',
          id: 'qid',
          group: 'set',
        },
      }),
    ).toEqual([{ id: '3', prompt: 'q', output: 'a', reference: 'g', group: 's', meta: { 'dotted.key': 1 } }])
    expect(
      await samplesOf([row], {
        mapping: { prompt: 'question', output: 'answers.*.text', meta: ['dotted.key', 'gold.text'] },
      }),
    ).toEqual([
      {
        id: 'row-1#0',
        prompt: 'q',
        output: 'a',
        group: 'row-1',
        meta: { 'dotted.key': 1, 'gold.text': 'g' },
      },
      {
        id: 'row-1#1',
        prompt: 'q',
        output: 'b',
        group: 'row-1',
        meta: { 'dotted.key': 1, 'gold.text': 'g' },
      },
    ])
  })
  test('nested lists are joined, dialogues and parts are one output', async () => {
    const nested = { q: 'q', results: [{ outputs: ['a', 'b'] }, { outputs: ['c'] }] }
    expect(
      (await samplesOf([nested], { mapping: { prompt: 'q', output: 'results.*.outputs.*' } })).map(
        ({ output }) => output,
      ),
    ).toEqual(['a', 'b', 'c'])
    const dialogue = { q: 'q', a: [assistant('x')], b: [[assistant('x')], [assistant('y')]] }
    expect(await samplesOf([dialogue], { mapping: { prompt: 'q', output: 'a' } })).toHaveLength(1)
    expect(await samplesOf([dialogue], { mapping: { prompt: 'q', output: 'b' } })).toHaveLength(2)
  })
  test('a misspelt path or field says what there is', async () => {
    const { errors } = await samplesIn(
      fileOf([
        { q: 'q', answer: 'a' },
        { q: 'q', anwser: 'a' },
      ]),
      {
        mapping: { prompt: 'q', output: 'answer' },
      },
    )
    expect(errors[0]).toMatch(
      /:2, field "answer": is missing\. Did you mean "anwser"\? The row has q, anwser/,
    )
    await expect(samplesOf([row], { mapping: { promt: 'q' } as never })).rejects.toThrow(
      /Did you mean "prompt"/,
    )
    await expect(samplesOf([row], { mapping: { prompt: 'q' } })).rejects.toThrow(/does not say where/)
  })
  test('chosen and rejected of any name', async () => {
    const { preferences } = await preferencesOf([{ q: 'q', good: 'g', bad: 'b' }], {
      mapping: { prompt: 'q', chosen: 'good', rejected: 'bad' },
    })
    expect(preferences).toEqual([{ id: 'row-1', prompt: 'q', chosen: 'g', rejected: 'b', meta: {} }])
  })
})

describe('pairs', () => {
  test('TRL explicit: two samples with labels in one group; spaces are kept', async () => {
    const rows = [{ id: 'a', prompt: 'Name a prime.', chosen: ' 7', rejected: ' 9', margin: 2, n: 1 }]
    expect(await samplesOf(rows)).toEqual([
      {
        id: 'a#0',
        prompt: 'Name a prime.',
        output: ' 7',
        group: 'a',
        meta: { n: 1, label: 'chosen', margin: 2 },
      },
      {
        id: 'a#1',
        prompt: 'Name a prime.',
        output: ' 9',
        group: 'a',
        meta: { n: 1, label: 'rejected', margin: 2 },
      },
    ])
    expect((await preferencesOf(rows)).preferences).toEqual([
      { id: 'a', prompt: 'Name a prime.', chosen: ' 7', rejected: ' 9', margin: 2, meta: { n: 1 } },
    ])
  })
  test('ultrafeedback_binarized and distilabel: the prompt inside chosen and rejected is taken out', async () => {
    const row = {
      prompt: 'Name a prime.',
      prompt_id: 'x',
      chosen: [user('Name a prime.'), assistant('7')],
      rejected: [user('Name a prime.'), assistant('9')],
      chosen_rating: '5.0',
      rejected_rating: 1,
      chosen_model: 'm',
      rejected_model: 'n',
    }
    const [first, second] = await samplesOf([row])
    expect(first).toMatchObject({
      prompt: 'Name a prime.',
      output: [assistant('7')],
      meta: { label: 'chosen', score: 5, model: 'm' },
    })
    expect(second).toMatchObject({
      output: [assistant('9')],
      meta: { label: 'rejected', score: 1, model: 'n' },
    })
    const withSystem = {
      ...row,
      chosen: [{ role: 'system', content: 's' }, ...row.chosen],
      rejected: [{ role: 'system', content: 's' }, ...row.rejected],
    }
    expect((await preferencesOf([withSystem])).preferences[0]!.prompt).toEqual([
      { role: 'system', content: 's' },
      user('Name a prime.'),
    ])
    const manyTurns = {
      prompt: [user('a'), assistant('b'), user('c')],
      chosen: [user('a'), assistant('b'), user('c'), assistant('d')],
      rejected: [user('a'), assistant('b'), user('c'), assistant('e')],
    }
    expect((await preferencesOf([manyTurns])).preferences[0]).toMatchObject({
      prompt: manyTurns.prompt,
      chosen: [assistant('d')],
    })
  })
  test('a prompt is never lost: a system turn of its own stays, another wording is kept in meta', async () => {
    const system = { role: 'system' as const, content: 's' }
    const { preferences } = await preferencesOf([
      {
        prompt: [system, user('a')],
        chosen: [user('a'), assistant('x')],
        rejected: [user('a'), assistant('y')],
      },
      { prompt: 'other', chosen: [user('a'), assistant('x')], rejected: [user('a'), assistant('y')] },
      { prompt: 'p', chosen: [user('a'), assistant('x')], rejected: [user('b'), assistant('y')] },
    ])
    expect(preferences).toMatchObject([
      { prompt: [system, user('a')], chosen: [assistant('x')], meta: {} },
      { prompt: [user('a')], rejected: [assistant('y')], meta: { prompt: 'other' } },
      { prompt: 'p', chosen: [user('a'), assistant('x')] },
    ])
  })
  test('equal ratings and equal answers are ties, counted and not ordered', async () => {
    const rows = [
      { prompt: 'p', chosen: 'a', rejected: 'b', chosen_rating: 4, rejected_rating: 4 },
      { prompt: 'p', chosen: 'a', rejected: 'a' },
      { prompt: 'p', chosen: 'a', rejected: 'b', score_chosen: 0, score_rejected: null },
    ]
    const { preferences, ties } = await preferencesOf(rows)
    expect(ties).toBe(2)
    expect(preferences).toEqual([
      {
        id: 'row-3',
        prompt: 'p',
        chosen: 'a',
        rejected: 'b',
        meta: { score_chosen: 0, score_rejected: null },
      },
    ])
  })
  test('TRL implicit: whole turns for messages, characters for text, transcripts by their marks', async () => {
    const messages = { chosen: [user('a'), assistant('b')], rejected: [user('a'), assistant('c')] }
    const text = { chosen: 'The sky is blue.', rejected: 'The sky is bright.' }
    const emoji = { chosen: 'x\u{1f600}', rejected: 'x\u{1f601}' }
    const spoken = (last: string) =>
      `\n\nHuman: hi\n\nAssistant: yes?\n\nHuman:  twice \n\nAssistant: ${last}`
    const transcript = { chosen: spoken('a'), rejected: spoken('b\n\nc') }
    const { preferences } = await preferencesOf([messages, text, emoji, transcript])
    expect(preferences.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected])).toEqual([
      [[user('a')], [assistant('b')], [assistant('c')]],
      ['The sky is b', 'lue.', 'right.'],
      ['x', '\u{1f600}', '\u{1f601}'],
      [[user('hi'), assistant('yes?'), user(' twice ')], 'a', 'b\n\nc'],
    ])
    const [spaced] = (await preferencesOf([{ chosen: 'It is 7', rejected: 'It is 9' }])).preferences
    expect([spaced!.prompt, spaced!.chosen]).toEqual(['It is', ' 7'])
  })
  test('RLAIF-V, ms-swift and LLaMA-Factory', async () => {
    const { preferences } = await preferencesOf([
      { image: { bytes: 'AAAA', path: null }, question: 'q', chosen: 'a', rejected: 'b' },
    ])
    expect(preferences[0]!.prompt).toEqual([
      { type: 'image', image: { bytes: Buffer.from('AAAA', 'base64') } },
      { type: 'text', text: 'q' },
    ])
    const swift = await preferencesOf([{ messages: [user('q'), assistant('a')], rejected_response: 'b' }])
    expect(swift.preferences[0]).toMatchObject({ prompt: [user('q')], chosen: 'a', rejected: 'b' })
    const alpaca = await preferencesOf([
      { instruction: 'i', input: 'n', chosen: 'a', rejected: 'b', system: 's', history: [['x', 'y']] },
    ])
    expect(alpaca.preferences[0]).toMatchObject({
      prompt: [{ role: 'system' }, user('x'), assistant('y'), user('i\nn')],
      chosen: 'a',
    })
    const sharegpt = await preferencesOf([
      {
        conversations: [{ from: 'human', value: 'q' }],
        chosen: { from: 'gpt', value: 'a' },
        rejected: { from: 'gpt', value: 'b' },
      },
    ])
    expect(promptText(sharegpt.preferences[0]!.prompt)).toBe('q')
    expect(textOf(sharegpt.preferences[0]!.rejected)).toBe('b')
  })
  test('HelpSteer attributes are ratings; its preferences have a sign, and 0 is a tie', async () => {
    const rated = {
      prompt: 'p',
      response: 'r',
      helpfulness: 3,
      correctness: 4,
      coherence: 4,
      complexity: 2,
      verbosity: 2,
    }
    expect(await samplesOf([rated])).toMatchObject([
      { id: 'row-1', output: 'r', meta: { helpfulness: 3, verbosity: 2 } },
    ])
    await expect(preferencesOf([rated])).rejects.toThrow(/attributes rate single responses/)
    const three = (overall_preference: number | null) => ({
      domain: 'd',
      context: [user('p')],
      response1: 'a',
      response2: 'b',
      overall_preference,
    })
    const { preferences, ties } = await preferencesOf([three(-3), three(1), three(0), three(null)])
    expect(preferences.map(({ chosen, margin }) => [chosen, margin])).toEqual([
      ['a', 3],
      ['b', 1],
    ])
    expect(ties).toBe(1)
    const two = await preferencesOf([
      { prompt: 'p', response_1: 'a', response_2: 'b', preference_strength: 2 },
    ])
    expect(two.preferences[0]).toMatchObject({ chosen: 'b', rejected: 'a', margin: 2 })
  })
  test('RewardBench 2: every correct against every wrong answer; counts must agree', async () => {
    const row = {
      id: 'x',
      prompt: 'p',
      chosen: ['a', 'b'],
      rejected: ['c', 'd'],
      num_correct: 2,
      total_completions: 4,
      subset: 'Ties',
    }
    expect((await samplesOf([row])).map(({ id, output, meta }) => [id, output, meta.label])).toEqual([
      ['x#0', 'a', 'chosen'],
      ['x#1', 'b', 'chosen'],
      ['x#2', 'c', 'rejected'],
      ['x#3', 'd', 'rejected'],
    ])
    expect((await preferencesOf([row])).preferences.map(({ id }) => id)).toEqual([
      'x#0-2',
      'x#0-3',
      'x#1-2',
      'x#1-3',
    ])
    const { errors } = await samplesIn(fileOf([row, { ...row, id: 'y', num_correct: 1 }]))
    expect(errors[0]).toMatch(/field "num_correct": is 1 while "chosen" has 2/)
  })
  test('Alpaca instructions are not taken for OpenRLHF rows; lists of answers need no counts', async () => {
    expect(await samplesOf([{ instruction: 'i', input: 'n', output: 'o' }])).toEqual([
      { id: 'row-1', prompt: 'i\nn', output: 'o', meta: {} },
    ])
    expect(await samplesOf([{ prompt: 'p', chosen: ['a'], rejected: ['b', 'c'] }])).toHaveLength(3)
  })
  test('VL-RewardBench: rank 0 is better', async () => {
    const row = { id: 'v', query: 'q', image: 'a.png', response: ['x', 'y'], human_ranking: [1, 0] }
    expect((await preferencesOf([row])).preferences).toMatchObject([{ chosen: 'y', rejected: 'x' }])
    expect(imagesOf((await samplesOf([row]))[0]!.prompt)).toEqual([{ path: 'a.png' }])
  })
  test('UltraFeedback and distilabel: all strict orders of ratings, also those written as text; "N/A" is none', async () => {
    const raw = {
      instruction: 'i',
      completions: [
        { model: 'a', response: 'A', overall_score: '8.5' },
        { model: 'b', response: 'B', overall_score: 7 },
        { model: 'c', response: 'C', overall_score: 7 },
        { model: 'd', response: 'D', overall_score: 'N/A' },
      ],
    }
    const { preferences, ties } = await preferencesOf([raw])
    expect(preferences.map(({ id, margin }) => [id, margin])).toEqual([
      ['row-1#0-1', 1.5],
      ['row-1#0-2', 1.5],
    ])
    expect(ties).toBe(1)
    expect((await samplesOf([raw])).map(({ meta }) => meta.score)).toEqual([8.5, 7, 7, null])
    const lists = {
      instruction: 'i',
      generations: ['A', 'B'],
      ratings: [1, 5],
      rationales: ['x', 'y'],
      generation_models: ['m', 'n'],
    }
    expect((await preferencesOf([lists])).preferences[0]).toMatchObject({
      chosen: 'B',
      rejected: 'A',
      margin: 4,
    })
    expect((await samplesOf([lists]))[1]!.meta).toEqual({ score: 5, rationale: 'y', model: 'n' })
    const { errors } = await samplesIn(fileOf([lists, { ...lists, ratings: [1] }]))
    expect(errors[0]).toMatch(/field "ratings": has 1 items for 2 generations/)
  })
})

describe('single outputs, steps and tasks', () => {
  test('KTO labels, prompt and completion, completions', async () => {
    expect(
      await samplesOf([
        { prompt: 'The sky is', completion: ' blue.', label: true },
        { prompt: 'p', completion: 'c', label: 0 },
      ]),
    ).toMatchObject([
      { output: ' blue.', meta: { label: true } },
      { output: 'c', meta: { label: false } },
    ])
    await expect(preferencesOf([{ prompt: 'p', completion: 'c', label: true }])).rejects.toThrow(
      /no preferences: labels stand for single/,
    )
    expect(await samplesOf([{ prompt: 'p', completion: 'c', solution: '4' }])).toMatchObject([
      { reference: '4' },
    ])
    expect(
      (await samplesOf([{ id: 'q', prompt: 'p', completions: ['a', [assistant('b')]] }])).map(
        ({ id, group }) => [id, group],
      ),
    ).toEqual([
      ['q#0', 'q'],
      ['q#1', 'q'],
    ])
  })
  test('steps: TRL stepwise and PRM800K', async () => {
    const trl = {
      prompt: 'Compute 12*3.',
      completions: ['12*3 = 36.', 'So the answer is 38.'],
      labels: [true, false],
    }
    expect(await samplesOf([trl])).toEqual([
      {
        id: 'row-1',
        prompt: trl.prompt,
        output: '12*3 = 36.\nSo the answer is 38.',
        reference: [true, false],
        meta: { steps: trl.completions },
      },
    ])
    const { errors } = await samplesIn(fileOf([trl, { ...trl, labels: [true] }]))
    expect(errors[0]).toMatch(/has 1 labels for 2 steps/)
    const prm = {
      question: { problem: 'p', ground_truth_answer: '3' },
      label: {
        steps: [
          {
            completions: [
              { text: 'a', rating: -1 },
              { text: 'b', rating: 1 },
            ],
            chosen_completion: 1,
            human_completion: null,
          },
          { completions: null, chosen_completion: null, human_completion: { text: 'h' } },
          { completions: [{ text: 'c', rating: 0 }], chosen_completion: null, human_completion: null },
        ],
        finish_reason: 'found_error',
      },
    }
    expect(await samplesOf([prm])).toMatchObject([
      {
        prompt: 'p',
        reference: [1, null, 0],
        meta: { steps: ['b', 'h', 'c'], label: { finish_reason: 'found_error' } },
      },
    ])
  })
  test('dialogues: tool calls, the last user turn, eval-protocol and verifiers rows', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a": 1}' } }
    const rows = [
      {
        messages: [
          user('q'),
          { role: 'assistant', content: null, tool_calls: [call] },
          { role: 'tool', tool_call_id: 'c', content: '2' },
          assistant('done'),
        ],
        ground_truth: '2',
        input_metadata: { row_id: 'r3' },
      },
      {
        messages: [user('a'), assistant('b'), { role: 'developer', content: 'd' }, user('c'), assistant('e')],
      },
    ]
    const [first, second] = await samplesOf(rows)
    expect(first).toMatchObject({
      id: 'r3',
      prompt: [user('q')],
      output: [
        { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'f', arguments: { a: 1 } }] },
        { role: 'tool', content: '2', toolCallId: 'c' },
        assistant('done'),
      ],
      reference: '2',
    })
    expect(second).toMatchObject({ prompt: { length: 4 }, output: 'e' })
    const rollouts = [0, 1].map((n) => ({
      example_id: 3,
      prompt: [user('6*7?')],
      completion: [assistant(`${n}`)],
      answer: n === 0 ? '42' : '',
      reward: 1.1,
      metrics: { exact: 1 },
    }))
    expect(await samplesOf(rollouts)).toMatchObject([
      { id: 'row-1', group: '3', reference: '42', meta: { reward: 1.1 } },
      { group: '3' },
    ])
    expect((await samplesOf(rollouts))[1]).not.toHaveProperty('reference')
  })
  test('tasks without an output are an error unless prompts alone are asked for', async () => {
    const verl = {
      data_source: 'd',
      prompt: [user('q')],
      reward_model: { style: 'rule', ground_truth: '4' },
      extra_info: { index: 0 },
    }
    await expect(samplesOf([verl])).rejects.toThrow(/nothing to judge/)
    expect(await samplesOf([verl], { promptsOnly: true })).toMatchObject([
      { output: '', reference: '4', meta: { data_source: 'd', reward_model: { style: 'rule' } } },
    ])
    expect(await samplesOf([{ ...verl, response: '4' }])).toMatchObject([{ output: '4' }])
    expect(await samplesOf([{ prompt: 'q', answer: '4' }], { promptsOnly: true })).toMatchObject([
      { output: '', reference: '4' },
    ])
    expect(await samplesOf([{ input: 'q', response: 'r', label: '' }])).toEqual([
      { id: 'row-1', prompt: 'q', output: 'r', meta: {} },
    ])
  })
})

describe('images', () => {
  test('marks are filled in order; a number that differs is an error', async () => {
    const image = (name: string) => ({ type: 'image', image: { path: name } })
    const rows = [
      { prompt: '<image>left<image>', output: '', images: ['a', 'b'] },
      { prompt: 'no mark', output: '', image: 'a' },
      {
        prompt: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'q <image>' }] }],
        output: '',
        images: [{ bytes: null, path: 'a' }],
      },
      { prompt: '<image><image>', output: '', images: ['a'] },
      { prompt: 'a literal <image>', output: '' },
      { prompt: 'x', output: '', image: 5 },
    ]
    const { samples, errors } = await samplesIn(fileOf(rows))
    expect(samples.map(({ prompt }) => prompt)).toEqual([
      [image('a'), { type: 'text', text: 'left' }, image('b')],
      [image('a'), { type: 'text', text: 'no mark' }],
      [{ role: 'user', content: [image('a'), { type: 'text', text: 'q <image>' }] }],
      'a literal <image>',
    ])
    expect(errors.join()).toMatch(
      /:4, field "images": has 1 image\(s\) for 2 marked place\(s\).*:6, field "image": is a number/,
    )
  })
  test('every spelling of an image', async () => {
    const parts = [
      { type: 'image_url', image_url: { url: 'https://x.org/a.png', detail: 'low' } },
      { type: 'image_url', image_url: 'data:image/png;base64,AAAA' },
      { type: 'image', image: 'file:///a%20b.png' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
      { type: 'input_image', image_url: 'https://x.org/b.png' },
      { type: 'image', image: { src: 'https://x.org/c.png' } },
      { type: 'image', image: `iVBORw0KGgo${'A'.repeat(100)}` },
      { type: 'input_audio', input_audio: { data: '' } },
    ]
    const [sample] = await samplesOf([{ messages: [{ role: 'user', content: parts }, assistant('x')] }])
    expect(imagesOf(sample!.prompt)).toEqual([
      { url: 'https://x.org/a.png' },
      { url: 'data:image/png;base64,AAAA' },
      { path: '/a b.png' },
      { url: 'data:image/png;base64,AAAA' },
      { url: 'https://x.org/b.png' },
      { url: 'https://x.org/c.png' },
      { url: `data:image/png;base64,iVBORw0KGgo${'A'.repeat(100)}` },
    ])
  })
  test('Parquet: null keys of messages are absent, bytes stay bytes', async () => {
    const path = join(folder, 'images.parquet')
    const rows: JsonObject[] = [
      {
        prompt: [{ role: 'user', content: 'q', name: null, tool_calls: null }],
        output: 'a',
        image: { path: 'x.png', bytes: null },
      },
      { prompt: [{ role: 'user', content: 'r', name: 'n', tool_calls: null }], output: 'b', image: null },
    ]
    await writeRecords(path, rows)
    const { samples } = await samplesIn(path)
    expect(samples[0]!.prompt).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', image: { path: 'x.png' } },
          { type: 'text', text: 'q' },
        ],
      },
    ])
    expect(samples[1]!.prompt).toEqual([{ role: 'user', content: 'r', name: 'n' }])
  })
})

describe('preferences written for trainers', () => {
  const conversation = {
    prompt: [user('a'), assistant('b'), user('c')],
    chosen: [assistant('d')],
    rejected: [assistant('e')],
    tag: 1,
  }
  const cases: [PreferenceLayout, JsonObject[]][] = [
    [
      'trl',
      [
        { id: 'x', prompt: 'p', chosen: ' a', rejected: ' b', margin: 0.5, extra: { k: [null] } },
        { prompt: '', chosen: '', rejected: 'b' },
      ],
    ],
    [
      'trl-conversational',
      [
        conversation,
        {
          ...conversation,
          images: ['i.png'],
          prompt: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'c' }] }],
        },
      ],
    ],
    ['trl-implicit', [{ chosen: 'The sky is blue', rejected: 'The sky is red' }]],
    [
      'trl-implicit',
      [{ chosen: [user('a'), assistant('b')], rejected: [user('a'), assistant('c')], tag: 1 }],
    ],
    [
      'hh-rlhf',
      [{ chosen: '\n\nHuman: a\n\nAssistant: b', rejected: '\n\nHuman: a\n\nAssistant: c', row: 3 }],
    ],
    ['openrlhf', [{ prompt: 'p', chosen: 'a', rejected: 'b' }]],
    [
      'llama-factory',
      [
        { instruction: 'i', input: '', chosen: 'a', rejected: 'b', system: 's', history: [['x', 'y']], n: 1 },
        { instruction: '<image>i', input: '', chosen: 'a', rejected: 'b', images: ['i.png'] },
      ],
    ],
    [
      'ms-swift',
      [
        { messages: [user('q'), assistant('a')], rejected_response: 'b' },
        { messages: [user('<image>q'), assistant('a')], rejected_response: 'b', images: ['i.png'] },
      ],
    ],
    [
      'ultrafeedback-binarized',
      [
        {
          prompt: 'q',
          prompt_id: 'x',
          chosen: [user('q'), assistant('a')],
          rejected: [user('q'), assistant('b')],
          score_chosen: 8,
          score_rejected: 2.5,
        },
      ],
    ],
    ['rlaif-v', [{ image: 'i.png', question: 'q', chosen: 'a', rejected: 'b', idx: 0 }]],
  ]
  test.each(cases)('%s rows are written back as they were read', async (convention, rows) => {
    const path = join(folder, `back-${++files}.jsonl`)
    const { preferences } = await preferencesOf(rows)
    expect(preferences).toHaveLength(rows.length)
    expect(await writePreferences(path, preferences, { convention })).toBe(rows.length)
    expect(
      readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows)
  })
  test('messages keep keys that guerdon does not know', async () => {
    const answer = {
      role: 'assistant',
      content: 'x',
      thinking: 't',
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a": 1}' } }],
    }
    const row = { prompt: [user('q')], chosen: [answer], rejected: [assistant('y')] }
    const path = join(folder, 'keys.jsonl')
    await writePreferences(path, (await preferencesOf([row])).preferences, {
      convention: 'trl-conversational',
    })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(row)
  })
  test('KTO: two labelled rows each', async () => {
    const path = join(folder, 'kto.jsonl')
    await writePreferences(path, [{ id: 'a', prompt: 'p', chosen: 'x', rejected: 'y', meta: { n: 1 } }], {
      convention: 'kto',
    })
    expect((await samplesIn(path)).samples.map(({ output, meta }) => [output, meta])).toEqual([
      ['x', { label: true, n: 1 }],
      ['y', { label: false, n: 1 }],
    ])
  })
  test('meta never takes the place of a column', async () => {
    const path = join(folder, 'collision.jsonl')
    const meta = { prompt: 'm', chosen: 'm', label: 'm', id: 'm', free: 1 }
    const preference: Preference = { id: 'a', prompt: 'p', chosen: 'x', rejected: 'y', meta }
    await writePreferences(path, [preference], { convention: 'trl' })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      id: 'a',
      prompt: 'p',
      chosen: 'x',
      rejected: 'y',
      label: 'm',
      free: 1,
    })
    await writePreferences(path, [preference], { convention: 'kto' })
    expect((await samplesIn(path)).samples.map(({ prompt, meta }) => [prompt, meta.label])).toEqual([
      ['p', true],
      ['p', false],
    ])
  })
  test('what a layout cannot hold is refused by name', async () => {
    const path = join(folder, 'refused.jsonl')
    const preference: Preference = {
      id: 'a',
      prompt: [
        { role: 'user', content: 'p' },
        { role: 'assistant', content: 'x' },
      ],
      chosen: 'x',
      rejected: 'y',
      meta: {},
    }
    await expect(writePreferences(path, [preference], { convention: 'trl' })).rejects.toThrow(
      /sample "a": the layout cannot hold a prompt that is not one plain text/,
    )
    await expect(writePreferences(path, [preference], { convention: 'llama-factory' })).rejects.toThrow(
      /does not end with a user turn/,
    )
    const literal: Preference = {
      ...preference,
      prompt: [
        { type: 'image', image: { path: 'x' } },
        { type: 'text', text: 'a <image>' },
      ],
    }
    await expect(writePreferences(path, [literal], { convention: 'ms-swift' })).rejects.toThrow(
      /taken for a mark/,
    )
    await expect(writePreferences(path, [preference], { convention: 'trll' as 'trl' })).rejects.toThrow(
      /Did you mean "trl"/,
    )
  })
})
