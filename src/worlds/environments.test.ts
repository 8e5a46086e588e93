import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Json, type Part, Rng } from '../core/index.ts'
import { type Environment, episodeReward, type Session } from './environment.ts'
import { environmentNamed, environmentNames } from './environments.ts'
import { sceneQuestion } from './scenes/scene-environment.ts'
import { goldReply, requestsOf } from './text/tool-environment.ts'

const environments = environmentNames.map((name) => [name, environmentNamed(name)] as const)

/** A use of some tool with arguments that fit its schema, sense or no sense. */
function anyUse(environment: Environment, rng: Rng): Parameters<Session['act']>[0] {
  const tool = rng.pick(environment.tools)
  const properties = Object.entries((tool.input.properties ?? {}) as Record<string, { type: string }>)
  return {
    tool: tool.name,
    input: Object.fromEntries(
      properties.map(([name, { type }]) => [
        name,
        type === 'string' ? rng.pick(['+', 'mug 1', '{', 'yes']) : rng.int(0, 65),
      ]),
    ),
  }
}

describe.each(environments)('%s', (name, environment) => {
  test('says what callers need to know', () => {
    expect(environment.name).toBe(name)
    expect(environment.summary).not.toContain('\n')
    expect(environment.splits.length).toBeGreaterThan(0)
    for (const { name: tool, input } of environment.tools) {
      expect(tool).toMatch(/^[a-z_][a-z0-9_]*$/)
      expect(['verify', 'seed_session', 'aggregate_metrics', 'mcp', 'reset', 'step']).not.toContain(tool)
      expect(input.type).toBe('object')
    }
    const { tool, argument } = environment.textTool
    const schema = environment.tools.find((each) => each.name === tool)!.input as { properties: object }
    expect(Object.keys(schema.properties)).toContain(argument)
  })

  test('tasks are plain JSON that names itself; there are no others', () => {
    for (const { name: split, tasks } of environment.splits) {
      const task = environment.task(split, tasks - 1)
      expect(task).toMatchObject({ split, index: tasks - 1 })
      expect(JSON.parse(JSON.stringify(task))).toEqual(task)
      for (const index of [tasks, -1, 0.5, Number.NaN])
        expect(() => environment.task(split, index)).toThrow('has no task')
    }
    expect(() => environment.task('trian', 0)).toThrow('Did you mean "train"?')
  })

  test('any uses of tools keep the promises of a session, twice alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 1000 }), fc.nat(), async (index, seed) => {
        const play = async () => {
          const task = environment.task(environment.splits[0]!.name, index % environment.splits[0]!.tasks)
          const session = await environment.open(task)
          const rng = new Rng(seed)
          const seen: unknown[] = [shown(await session.prompt())]
          const rewards: (number | null)[] = []
          for (let step = 0; ; step++) {
            expect(step).toBeLessThan(200)
            const result = await session.act(anyUse(environment, rng))
            expect(Object.keys(result.parts)).toEqual([...environment.rewardParts])
            expect(result.reward === null || Number.isFinite(result.reward)).toBe(true)
            rewards.push(result.reward)
            seen.push({ ...result, content: shown(result.content) })
            JSON.stringify(session.state() satisfies Json)
            if (result.terminated || result.truncated) break
          }
          await expect(session.act(anyUse(environment, rng))).rejects.toThrow()
          const total = episodeReward(rewards, environment.finalReward)
          const [low, high] = environment.rewardRange
          if (total !== null) {
            expect(total).toBeGreaterThanOrEqual(low)
            expect(total).toBeLessThanOrEqual(high + 1e-12)
          }
          await session.close()
          return seen
        }
        expect(await play()).toEqual(await play())
      }),
      { numRuns: 8 },
    )
  })
})

function shown(content: readonly Part[]): unknown {
  return content.map((part) =>
    part.type === 'image' && part.image && 'bytes' in part.image
      ? Buffer.from(part.image.bytes).toString('base64')
      : part,
  )
}

test('a reward is the sum of the steps, or the last that was paid; none is no 0', () => {
  expect(episodeReward([null, 1, null, 2, null], 'sum')).toBe(3)
  expect(episodeReward([null, 1, null, 2, null], 'last')).toBe(2)
  expect(episodeReward([null, null], 'sum')).toBeNull()
})

test('tool calls: the oracle earns 1, a wrong city or a missing report less', async () => {
  const environment = environmentNamed('tool-calls')
  for (let index = 0; index < 30; index++) {
    const task = environment.task('train', index)
    const seed = `tool-calls/train/${index}`
    const requests = requestsOf('train', index)
    const session = await environment.open(task)
    let total = 0
    for (const [number, request] of requests.entries()) {
      for (const { name, parameters } of request.calls) {
        const result = await session.act({ tool: name, input: parameters })
        expect(result.reward).toBeNull()
      }
      const result = await session.act({ tool: 'reply', input: { text: goldReply(request, seed) } })
      expect(result.parts.exact).toBe(1)
      expect(result.terminated).toBe(number === requests.length - 1)
      total += result.reward!
    }
    expect(total).toBeCloseTo(1, 12)
  }
  const lazy = await environment.open(environment.task('train', 0))
  const { reward } = await lazy.act({ tool: 'reply', input: { text: 'done' } })
  expect(reward).toBeLessThan(0.5)
})

test('scene questions: the right answer pays, others do not, zooming enlarges', async () => {
  const environment = environmentNamed('scene-questions')
  for (const split of ['train', 'test', 'composition'] as const)
    for (let index = 0; index < 12; index++) {
      const { question } = sceneQuestion(split, index)
      const task = environment.task(split, index)
      const right = await environment.open(task)
      expect(await right.act({ tool: 'answer', input: { text: question.answer } })).toMatchObject({
        reward: 1,
        terminated: true,
      })
      const wrong = await environment.open(task)
      expect((await wrong.act({ tool: 'answer', input: { text: 'seventeen' } })).reward).toBe(0)
    }
  const session = await environment.open(environment.task('train', 0))
  const size = (content: readonly Part[]) => {
    const [part] = content
    const { bytes } = (part as { image: { bytes: Uint8Array } }).image
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return [view.getUint32(16), view.getUint32(20)]
  }
  expect(size((await session.act({ tool: 'look', input: {} })).content)).toEqual([32, 32])
  const zoomed = await session.act({ tool: 'zoom', input: { x1: 0, y1: 10, x2: 16, y2: 20 } })
  expect(size(zoomed.content)).toEqual([64, 40])
  expect((await session.act({ tool: 'zoom', input: { x1: 5, y1: 5, x2: 5, y2: 9 } })).problem).toContain(
    'above',
  )
})
