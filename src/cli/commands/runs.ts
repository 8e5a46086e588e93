import { GuerdonError } from '../../core/index.ts'
import { type GlobalOptions, withSession } from '../session.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

/** `guerdon runs`: what the store holds, newest first. */
export async function runsCommand(
  options: GlobalOptions & { remove?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async ({ store }) => {
    if (options.remove !== undefined) {
      if ((await store.runs.find(options.remove)) === undefined)
        throw new GuerdonError('unknown-run', `there is no run "${options.remove}".`, {
          place: { file: store.location },
        })
      await store.runs.remove(options.remove)
      terminal.note(`run ${options.remove} is forgotten`)
      return 0
    }
    const runs = await store.runs.list()
    if (options.json) terminal.result(JSON.stringify(runs))
    else if (runs.length === 0) terminal.note('the store holds no runs yet')
    else
      for (const line of table(
        ['run', 'status', 'created', 'rewards', 'data'],
        runs.map(({ id, status, created, rewards, source }) => [
          id,
          status,
          created.slice(0, 19).replace('T', ' '),
          rewards.map(({ name }) => name).join(', '),
          source ?? '',
        ]),
      ))
        terminal.result(line)
    return 0
  })
}
