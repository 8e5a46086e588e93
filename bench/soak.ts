// Mixed load for ten minutes: clients that behave beside as many that go, send garbage, half bodies and slow bodies. The
// server and the load are processes of their own. Memory is looked at after the first minute and at the end.
//   npm run -s bench -- soak [--minutes=10] [--json]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { defineReward, textOf } from '../src/core/index.ts'
import { createLog, Metrics, protocols, ServedRewards, startServer } from '../src/serve/index.ts'
import type { Store } from '../src/store/index.ts'
import { soak } from '../tests/serve-load.ts'
import { print } from './_throughput.ts'

const minutes = Number(
  process.argv.find((argument) => argument.startsWith('--minutes='))?.split('=')[1] ?? 10,
)
if (process.send) await serve()
else await measure()

async function serve(): Promise<void> {
  let judged = 0
  const lengthOf = defineReward({
    name: 'fast',
    range: [0, 1e6],
    judge: ({ output }) => {
      judged++
      return textOf(output).length
    },
  })
  const slow = {
    ...lengthOf,
    name: 'slow',
    score: async (...given: Parameters<typeof lengthOf.score>) => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      return lengthOf.score(...given)
    },
  }
  const metrics = new Metrics()
  const log = createLog({ level: 'error' })
  const scoring = new ServedRewards({ rewards: { fast: lengthOf, slow }, metrics, log })
  const server = await startServer({
    scoring,
    store: {} as Store,
    metrics,
    log,
    protocols,
    limits: { headMs: 1000, bodyMs: 2000 },
  })
  process.send!({ port: server.port })
  process.on('message', async (message) => {
    if (message === 'end') {
      process.send!({ cut: await server.close() })
      process.exit(0)
    }
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    process.send!({ rssMb: rss / 2 ** 20, heapMb: heapUsed / 2 ** 20, judged })
  })
}

async function measure(): Promise<void> {
  const child = fork(import.meta.filename, [], { execArgv: [...process.execArgv, '--expose-gc'] })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const look = async () => {
    child.send('memory')
    return ((await once(child, 'message')) as [{ rssMb: number; heapMb: number; judged: number }])[0]
  }
  const rows = []
  const part = Math.max(0.2, minutes / 5)
  for (let done = 0; done < minutes - 1e-9; done += part) {
    const result = await soak({ port, seconds: part * 60, clients: 32, seed: `soak ${done}` })
    const memory = await look()
    rows.push({
      'minutes in': done + part,
      ...result,
      'heap [MiB]': memory.heapMb,
      'resident [MiB]': memory.rssMb,
    })
  }
  child.send('end')
  const [{ cut }] = (await once(child, 'message')) as [{ cut: number }]
  print(rows.map((row) => ({ ...row, 'cut off': cut })))
}
