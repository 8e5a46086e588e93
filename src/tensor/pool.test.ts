import { expect, test } from 'vitest'
import { runJobs } from './pool.ts'

const module = new URL('../../tests/fixtures/pool-jobs.ts', import.meta.url)
const job = (name: string, options?: unknown) => ({ module, export: name, options })

test('outcomes stand in order; one that throws and one that crashes lose no other', async () => {
  const seen: [number, unknown][] = []
  const outcomes = await runJobs<number>(
    [job('double', { value: 4 }), job('fail'), job('crash'), job('missing'), job('double', { value: 5 })],
    { workers: 2, onProgress: (index, value) => seen.push([index, value]) },
  )
  expect(outcomes.map((outcome) => (outcome.status === 'done' ? outcome.value : outcome.status))).toEqual([
    8,
    'failed',
    'failed',
    'failed',
    10,
  ])
  const messages = outcomes.map((outcome) => (outcome.status === 'failed' ? outcome.error.message : ''))
  expect(messages[1]).toMatch(/job 1 \(fail\): as it should/)
  expect(messages[2]).toMatch(/SIGKILL before it was done/)
  expect(messages[3]).toMatch(/exports no function missing/)
  expect(seen).toContainEqual([0, 'doubling 4'])
})

test('training in a job gives what it gives here', async () => {
  const { trainSmall } = await import('../../tests/fixtures/pool-jobs.ts')
  const [outcome] = await runJobs<number>([job('trainSmall', { seed: 3, steps: 5 })])
  expect(outcome).toEqual({ status: 'done', value: await trainSmall({ seed: 3, steps: 5 }) })
})

test('cancelling: a running job may finish what it saves, waiting ones do not start', async () => {
  const controller = new AbortController()
  const outcomes = await runJobs([job('wait'), job('double', { value: 1 })], {
    workers: 1,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  expect(outcomes).toEqual([{ status: 'done', value: 'saved' }, { status: 'cancelled' }])
})
