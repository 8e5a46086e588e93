import { GuerdonError } from '../../core/index.ts'
import { cancelOrder, orderNamed, retryOrder, type Workplace } from '../../serve/workers/index.ts'
import { figure } from '../../stats/figure.ts'
import { atWorkplace, tellFailures } from '../queue.ts'
import { type GlobalOptions, withSession } from '../session.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

/** `guerdon jobs`: what was given to workers; `show`, `cancel` and `retry` take an id. */
export async function jobsCommand(
  action: string,
  id: string | undefined,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, (session) =>
    atWorkplace(session, {}, async (place) => {
      if (action === 'list') return list(place, options, terminal)
      if (id === undefined) throw new GuerdonError('bad-option', `say which job: guerdon jobs ${action} ID.`)
      const order = await orderNamed(place, id)
      if (action === 'cancel') {
        await cancelOrder(place, order)
        terminal.note(`job ${id} is cancelled: workers stop within seconds, what was judged is kept`)
        return 0
      }
      if (action === 'retry') {
        terminal.note(`${figure(await retryOrder(place, order))} shards of job ${id} are tried again`)
        return 0
      }
      if (action !== 'show')
        throw new GuerdonError('bad-option', `jobs knows no "${action}".`, {
          fix: 'It knows list, show, cancel and retry.',
        })
      const progress = await place.orders.progress(order.key)
      if (options.json) {
        const failures = await place.orders.failedShards(order.key, 1000)
        terminal.result(JSON.stringify({ ...order, ...progress, failures }))
        return 0
      }
      terminal.result(
        `${order.id}  ${order.kind} of ${order.about}: ${order.status}, ${figure(progress.done)} of ${figure(progress.shards)} shards, ${figure(progress.rows)} rows`,
      )
      if (progress.failed > 0) await tellFailures(place, order, terminal)
      return progress.failed > 0 ? 2 : 0
    }),
  )
}

async function list({ orders }: Workplace, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const found = await orders.list()
  if (options.json) terminal.result(JSON.stringify(found.map(({ spec: _, ...order }) => order)))
  else if (found.length === 0) terminal.note('no jobs yet: guerdon score DATA --reward NAME --queue')
  else
    for (const line of table(
      ['job', 'kind', 'about', 'status', 'shards done', 'failed', 'rows'],
      found.map(({ id, kind, about, status, shards, done, failed, rows }) => [
        id,
        kind,
        about,
        status,
        `${figure(done)} of ${figure(shards)}`,
        figure(failed),
        figure(rows),
      ]),
    ))
      terminal.result(line)
  return 0
}
