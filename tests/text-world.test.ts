import { expect, test } from 'vitest'
import { Rng } from '../src/core/index.ts'
import { toolrl } from '../src/methods/toolrl.ts'
import { numeric } from '../src/rewards/verifiable/answers/numeric.ts'
import { text } from '../src/worlds/index.ts'

const requests = text.textTasks('tool gold', 150, { kinds: { tools: 1 } })
const sampleOf = (task: text.ToolRequest, tokens: readonly string[], reference: 'text' | 'list') => ({
  id: 'a',
  prompt: text.textVocabulary.join(text.taskPrompt(task)),
  output: text.textVocabulary.join(tokens),
  reference:
    reference === 'text' ? text.textVocabulary.join(text.goldTools(task)) : (text.callList(task) as never),
  meta: {},
})

test.each(['released', 'paper', 'guarded'] as const)(
  "the text world's tool gold earns ToolRL's maximum (%s), as text and as a list; faults earn less",
  async (variant) => {
    const reward = toolrl({ variant })
    let faulty = 0
    for (const [index, task] of requests.entries()) {
      if (task.task !== 'tools') continue
      for (const reference of ['text', 'list'] as const) {
        const [score] = await reward.score([sampleOf(task, text.goldTools(task), reference)])
        expect(score!.value).toBe(4)
      }
      for (const fault of text.toolFaults) {
        const tokens = text.faultyTools(task, fault, new Rng(index))
        if (tokens === undefined) continue
        faulty++
        const [score] = await reward.score([sampleOf(task, tokens, 'text')])
        expect(score!.value).toBeLessThan(4)
      }
    }
    expect(faulty).toBeGreaterThan(500)
  },
)

test('gold arithmetic is read and found right by the general reward for numbers, faults of the answer are not', async () => {
  const problems = text.textTasks('numbers', 60, {
    kinds: { arithmetic: 1 },
    arithmetic: { answerAs: 'tagged', stories: 0 },
  })
  for (const [index, problem] of problems.entries()) {
    if (problem.task !== 'arithmetic') continue
    const reference = text.arithmeticResult(problem)
    const judged = async (tokens: readonly string[]) => {
      const output = text.textVocabulary.join(tokens)
      const [score] = await numeric.create({}).score([{ id: 'a', prompt: '', output, reference, meta: {} }])
      return score!.value
    }
    expect(await judged(text.goldArithmetic(problem))).toBe(1)
    const faulty = text.faultyArithmetic(problem, 'answer', new Rng(index))
    if (faulty !== undefined) expect(await judged(faulty.tokens)).toBe(0)
  }
})
