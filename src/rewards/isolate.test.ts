import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Rng, type Sample, type Score } from '../core/index.ts'
import { type IsolatedReward, type IsolateOptions, isolate } from './isolate.ts'

const fixture = new URL('../../tests/fixtures/misbehaving-reward.ts', import.meta.url)
const lookup = { module: new URL('../../tests/fixtures/lookup.ts', import.meta.url), export: 'find' }

const samples = (...outputs: string[]): Sample[] =>
  outputs.map((output, index) => ({ id: String(index), prompt: 'p', output, meta: {} }))

const opened: IsolatedReward[] = []
afterAll(() => {
  for (const reward of opened) reward.close()
})
async function open(options: IsolateOptions, name = 'default') {
  const reward = await isolate(
    { module: fixture, export: name },
    { timeoutMs: 20_000, memoryMb: 200, ...options },
  )
  opened.push(reward)
  return reward
}

const briefly = (scores: readonly Score[]) =>
  scores.map((score) => score.value ?? ('code' in score && score.code))

function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

async function until(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 300 && !condition(); i++) await new Promise((done) => setTimeout(done, 50))
  return condition()
}

describe('in a process', () => {
  let strict: IsolatedReward
  let roomy: IsolatedReward
  beforeAll(async () => {
    ;[strict, roomy] = await Promise.all([open({ timeoutMs: 500 }), open({})])
  })

  test.each([
    ['loop', 'timeout'],
    ['regex', 'timeout'],
    ['native', 'timeout'],
    ['never', 'timeout'],
    ['heap', 'memory'],
    ['buffers', 'memory'],
    ['exit', 'crashed'],
    ['abort', 'crashed'],
    ['rejection', 'crashed'],
    ['throw', 'crashed'],
    ['spinning threads', 'timeout'],
  ])('%s: that sample is unscored (%s), the others are scored', async (deed, code) => {
    const reward = code === 'timeout' ? strict : roomy
    const scores = await reward.score(samples('1', '2', deed, '3', '4'))
    expect(briefly(scores)).toEqual([1, 2, code, 3, 4])
    expect(scores[2]).toMatchObject({ reason: expect.stringMatching(/\w/) })
  })

  test('several offenders in one batch, several workers, one timeout each', async () => {
    const reward = await open({ workers: 2, timeoutMs: 2000 })
    const outputs = Array.from({ length: 40 }, (_, index) => (index % 13 === 5 ? 'exit' : String(index)))
    outputs[20] = 'loop'
    expect(briefly(await reward.score(samples(...outputs)))).toEqual(
      outputs.map((output) =>
        output === 'exit' ? 'crashed' : output === 'loop' ? 'timeout' : Number(output),
      ),
    )
    reward.close()
  })

  test('CPU time counts every thread and is less than the wall-clock limit', async () => {
    const reward = await open({ cpuSeconds: 0.3 })
    const scores = await reward.score(samples('spinning threads', '1'))
    expect(briefly(scores)).toEqual(['timeout', 1])
    expect(scores[0]).toMatchObject({ reason: expect.stringContaining('CPU') })
    reward.close()
  })

  test('batches are halved until the offender stands alone; a group falls whole', async () => {
    const batched = await open({ batchSize: 4 }, 'batched')
    expect(briefly(await batched.score(samples('0', '1', '2', 'exit', '4', '5', '6', '7', '8')))).toEqual([
      0,
      1,
      2,
      'crashed',
      4,
      5,
      6,
      7,
      8,
    ])
    batched.close()
    const grouped = await open({}, 'grouped')
    const groups = samples('a', 'exit', 'bbb', 'cc').map((sample, index) => ({
      ...sample,
      group: 'xxyy'[index]!,
    }))
    expect(briefly(await grouped.score(groups))).toEqual(['crashed', 'crashed', 1, 0])
    expect(grouped.needs).toEqual(['group'])
    grouped.close()
  })

  test('a thread left behind is stopped although its sample is scored', async () => {
    const reward = await open({})
    const [first, second] = await reward.score(samples('pid', 'thread left behind'))
    expect(second!.value).toBe(1)
    const pid = first!.meta!.pid as number
    expect(runs(pid)).toBe(true)
    expect(await until(() => !runs(pid))).toBe(true)
    expect(briefly(await reward.score(samples('7')))).toEqual([7])
    reward.close()
  })

  test('close ends the process and what it started', async () => {
    const reward = await open({})
    const [own, child] = await reward.score(samples('pid', 'child left behind'))
    const pids = [own!.meta!.pid as number, child!.meta!.pid as number]
    expect(pids.map(runs)).toEqual([true, true])
    const pending = reward.score(samples('loop', '1'))
    reward.close()
    expect(briefly(await pending)).toEqual(['cancelled', 'cancelled'])
    expect(briefly(await reward.score(samples('1')))).toEqual(['cancelled'])
    expect(await until(() => !pids.some(runs))).toBe(true)
  })

  test('aborting stops the work and keeps what other calls are waiting for', async () => {
    const reward = await open({})
    const controller = new AbortController()
    const hung = reward.score(samples('1', 'loop', '2'), { signal: controller.signal })
    const other = reward.score(samples('3'))
    setTimeout(() => controller.abort(), 100)
    expect(briefly(await hung).slice(1)).toEqual(['cancelled', 'cancelled'])
    expect(briefly(await other)).toEqual([3])
    reward.close()
  })

  test('a parent that is killed leaves nothing behind, not even a stuck child', async () => {
    const script = `
      import { isolate } from ${JSON.stringify(new URL('./isolate.ts', import.meta.url).href)}
      const reward = await isolate({ module: ${JSON.stringify(fixture.href)} }, { timeoutMs: 60000 })
      const sample = (output) => ({ id: output, prompt: '', output, meta: {} })
      const [score] = await reward.score([sample('pid')])
      console.log(score.meta.pid)
      await reward.score([sample('loop')])
    `
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 2],
    })
    const [line] = await once(parent.stdout!.setEncoding('utf8'), 'data')
    const pid = Number(line)
    expect(runs(pid)).toBe(true)
    await new Promise((done) => setTimeout(done, 200)) // until it is stuck
    parent.kill('SIGKILL')
    expect(await until(() => !runs(pid))).toBe(true)
  })
})

describe('what crosses over', () => {
  test('step, seed and options do; the identity is that of the reward inside', async () => {
    const { seeded } = await import(fileURLToPath(fixture))
    const reward = await isolate({ module: fixture, export: 'seeded', options: { add: 2 } })
    opened.push(reward)
    const context = { rng: new Rng('seed'), step: 3 }
    const inside = seeded({ add: 2 })
    expect(await reward.score(samples('a', 'b'), context)).toEqual(
      await inside.score(samples('a', 'b'), context),
    )
    const { score: _, close: __, [Symbol.asyncDispose]: ___, ...head } = reward
    const { score: ____, ...expected } = inside
    expect(head).toEqual(expected)
    expect(await reward.score([])).toEqual([])
    const unsendable = [{ ...samples('a')[0]!, meta: { f: (() => 1) as never } }, samples('b')[0]!]
    expect(briefly(await reward.score(unsendable, context))).toEqual(['bad-input', expect.any(Number)])
    reward.close()
  })

  test('an expression is looked up inside', async () => {
    const reward = await isolate('0.5*length + 1', { lookup })
    opened.push(reward)
    expect(briefly(await reward.score(samples('abcd')))).toEqual([3])
    expect(reward.name).toBe('0.5*length + 1')
    reward.close()
  })

  test('what cannot be loaded rejects and says why', async () => {
    const refused = [
      isolate('0.5*lenght', { lookup }),
      isolate({ module: './absent.ts' }),
      isolate({ module: fixture, export: 'groupd' }),
      isolate({ module: fixture, export: 'notAReward' }),
      isolate({ module: fixture }, { timeoutMs: 0 }),
      isolate({ module: fixture }, { runIn: 'thread', cpuSeconds: 1 }),
    ]
    const reasons = (await Promise.allSettled(refused)).map((result) =>
      String('reason' in result && result.reason),
    )
    expect(reasons).toEqual([
      expect.stringMatching(/no reward "lenght"/),
      expect.stringMatching(/absent\.ts cannot be loaded/),
      expect.stringMatching(/Did you mean "grouped"/),
      expect.stringMatching(/is not a reward/),
      expect.stringMatching(/timeoutMs is 0/),
      expect.stringMatching(/CPU time/),
    ])
  })
})

test.each([
  ['loop', 'timeout'],
  ['regex', 'timeout'],
  ['never', 'timeout'],
  ['exit', 'crashed'],
  ['throw', 'crashed'],
])('in a thread, %s: %s', async (deed, code) => {
  const reward = await isolate(
    { module: fixture },
    { runIn: 'thread', timeoutMs: code === 'timeout' ? 500 : 20_000 },
  )
  expect(briefly(await reward.score(samples('1', deed, '2')))).toEqual([1, code, 2])
  reward.close()
})
