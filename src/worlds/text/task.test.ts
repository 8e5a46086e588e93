import { describe, expect, test } from 'vitest'
import { identityOf, Rng } from '../../core/index.ts'
import { answerOfIds, corpusItem, longestDialogue } from './dialogue.ts'
import { readTask, textOracle, textSamples } from './samples.ts'
import {
  categoryOfTask,
  combinationOf,
  drawCandidate,
  goldAnswer,
  judgeTask,
  type Split,
  splitOf,
  taskAt,
  taskCategories,
  taskPrompt,
  textTasks,
} from './task.ts'
import { textVocabulary } from './vocabulary.ts'

const everyKind = { kinds: { instruction: 2, arithmetic: 1, tools: 1 } } as const

describe('tasks', () => {
  test('golden: the same seed gives the same world everywhere', () => {
    const items = Array.from({ length: 200 }, (_, index) => corpusItem('golden', index).ids)
    expect(identityOf(items)).toMatchInlineSnapshot(`"993174cab5f509a52ca921671688eb80"`)
    expect(taskAt('golden', 7, everyKind)).toEqual(textTasks('golden', 8, everyKind)[7])
  })

  test('splits share no prompt, and unseen combinations are unseen, whatever the seed', () => {
    const bySplit = (['train', 'test', 'unseen'] as const).map((split: Split) =>
      textTasks(`seed of ${split}`, 800, { ...everyKind, split }),
    )
    const prompts = bySplit.map((tasks) => new Set(tasks.map((task) => taskPrompt(task).join(' '))))
    expect(prompts[0]!.intersection(prompts[1]!).size).toBe(0)
    const keys = bySplit.map((tasks) => new Set(tasks.map((task) => combinationOf(task).key)))
    expect(keys[0]!.intersection(keys[2]!).size).toBe(0)
    expect(keys[1]!.intersection(keys[2]!).size).toBe(0)
    expect(keys[2]!.size).toBeGreaterThan(8)
    // What is combined in an unseen way has been seen apart.
    const seen = new Set([...keys[0]!].flatMap((key) => key.split(/[|+]/)))
    for (const key of keys[2]!)
      if (!/[*-]/.test(key)) for (const piece of key.split(/[|+]/)) expect(seen).toContain(piece)
  })

  test('every category occurs; the splits have the sizes that are meant', () => {
    const tasks = textTasks(1, 3000, everyKind)
    expect(new Set(tasks.map(categoryOfTask))).toEqual(new Set(taskCategories))
    const share = (split: Split) => tasks.filter((task) => splitOf(task) === split).length / tasks.length
    expect(share('test')).toBeGreaterThan(0.05)
    expect(share('unseen')).toBeGreaterThan(0.05)
    expect(share('train')).toBeGreaterThan(0.5)
  })

  test('gold is faultless for every kind', () => {
    for (const [index, task] of textTasks(2, 500, everyKind).entries())
      expect(judgeTask(task, goldAnswer(task, new Rng(index))!).total).toBe(1)
  })

  test('any tokens are judged, with every part and the total in [0, 1]', () => {
    for (const [index, task] of textTasks(5, 600, everyKind).entries()) {
      const rng = new Rng(`any/${index}`)
      const gold = goldAnswer(task, rng)!
      // Random tokens, and right answers with tokens changed, dropped or repeated.
      const tokens =
        index % 2 === 0
          ? Array.from({ length: rng.int(0, 40) }, () => rng.pick(textVocabulary.tokens))
          : gold.flatMap(
              (token) =>
                [[token], [token], [token], [], [token, token], [rng.pick(textVocabulary.tokens)]][
                  rng.int(0, 6)
                ]!,
            )
      const { parts, total } = judgeTask(task, tokens)
      for (const value of [total, ...Object.values(parts)])
        expect([tokens.join(' '), value >= 0 && value <= 1]).toEqual([tokens.join(' '), true])
    }
  })

  test('an impossible split is refused', () => {
    expect(() =>
      taskAt(0, 0, { kinds: { arithmetic: 1 }, arithmetic: { operations: [1, 1] }, split: 'unseen' }),
    ).toThrow(/no task in the split/)
  })

  test('dialogues fit the window and give their answer back', () => {
    for (let index = 0; index < 2000; index++) {
      const { ids, answerStart, answer } = corpusItem('window', index)
      expect(ids.length).toBeLessThanOrEqual(longestDialogue)
      expect(answerOfIds(ids.slice(answerStart))).toEqual(answer.tokens)
    }
  })
})

describe('samples', () => {
  test('the reward scores every sample as its meta says; the answers of a prompt are a group', async () => {
    const samples = textSamples({ prompts: 200, ...everyKind })
    const scores = await textOracle().score(samples)
    samples.forEach((sample, index) => {
      expect(scores[index]!.value).toBeCloseTo(sample.meta.quality as number, 12)
      expect(sample.group).toBe(sample.id.split('#')[0])
    })
    const values = scores.map(({ value }) => value!)
    expect(new Set(values.map((value) => value.toFixed(2))).size).toBeGreaterThan(20)
    expect(values.filter((value) => value > 0.999).length / values.length).toBeGreaterThan(0.25)
  })

  test('evidence stands on the words it is about', async () => {
    const task = {
      task: 'instruction',
      facts: [{ item: 'cat', attribute: 'colour', value: 'red' }],
      ask: { kind: 'describe', items: ['cat'] },
      avoid: ['park'],
      mostWords: null,
      format: null,
      polite: false,
      phrasing: 0,
    } as const
    const output = 'the  cat is red, the cat is in the park zzz'
    const [score] = await textOracle().score([{ id: 'a', prompt: '', output, reference: task, meta: {} }])
    const marked = score!.evidence!.map((evidence) =>
      evidence.kind === 'span'
        ? [evidence.label, evidence.good, output.slice(evidence.start, evidence.end)]
        : [],
    )
    expect(marked).toEqual([
      ['relevance', true, 'the  cat is red'],
      ['truthfulness', false, 'the cat is in the park'],
      ['fluency', false, 'zzz'],
      ['harmlessness', false, 'park'],
    ])
  })

  test('a reference that is no task is unscored, and says why', async () => {
    for (const reference of [null, 'x', { task: 'instruction' }, { task: 'tools', calls: [], phrasing: 0 }]) {
      const [score] = await textOracle().score([{ id: 'a', prompt: '', output: '', reference, meta: {} }])
      expect(score).toMatchObject({ value: null, code: 'bad-input' })
    }
    for (const task of textTasks(3, 100, everyKind))
      expect(readTask(JSON.parse(JSON.stringify(task)))).toEqual(task)
  })

  test('candidates stay in the vocabulary', () => {
    for (const [index, task] of textTasks(4, 500, everyKind).entries())
      textVocabulary.encodeTokens(drawCandidate(task, new Rng(index)).tokens)
  })
})
