import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { GuerdonError, type Reward } from '../../core/index.ts'
import { trainingDocument } from '../../learn/trainers/kept-training.ts'
import { resolveReward } from '../../methods/resolve.ts'
import type { RunningServer } from '../../serve/ui-server.ts'
import type { Store } from '../../store/index.ts'
import { type ModelCallOptions, withModelCalls } from '../model-calls.ts'
import { type GlobalOptions, namedExpressions, type Session, withSession } from '../session.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface UiCommandOptions extends GlobalOptions, ModelCallOptions {
  /** For the playground. */
  readonly reward?: readonly string[]
  /** Folders of logs of trainings. */
  readonly logs?: readonly string[]
  readonly port: number
  readonly open: boolean
}

/** `guerdon ui`: the page in the browser on the store, until it is interrupted. */
export async function uiCommand(options: UiCommandOptions, terminal: Terminal): Promise<ExitCode> {
  return withSession<ExitCode>(options, (session) =>
    withModelCalls<ExitCode>(session, options, terminal, async (calls) => {
      await keepLogs(session.store, options.logs ?? [])
      const server = await openUi(session, options)
      if (options.json) terminal.result(JSON.stringify({ url: server.url }))
      else terminal.result(`the store ${session.store.location}\nis shown at ${server.url}`)
      if (options.open && process.stdout.isTTY) openInBrowser(server.url)
      terminal.note('Ctrl+C ends it.')
      calls.signal.addEventListener('abort', () =>
        terminal.problem(
          'the budget of model calls is used up: rewards that ask models have no scores from now on',
        ),
      )
      await interrupted()
      await server.close()
      return 0
    }),
  )
}

export async function openUi(
  session: Pick<Session, 'store' | 'config'>,
  { port, reward }: Pick<UiCommandOptions, 'port' | 'reward'>,
): Promise<RunningServer> {
  const { startUi } = await import('../../serve/ui-server.ts')
  const { store, config } = session
  return startUi({
    store,
    port,
    given: givenRewards(session, reward),
    ...(config.rewards === undefined ? {} : { own: config.rewards }),
  })
}

/** What the playground judges by: the command line's rewards, else those that the configuration scores with or names. */
export function givenRewards(
  { config }: Pick<Session, 'config'>,
  reward: readonly string[] | undefined,
): Record<string, Reward> {
  const named = namedExpressions(reward ?? config.score ?? Object.keys(config.rewards ?? {}))
  return Object.fromEntries(
    Object.entries(named).map(([name, expression]) => [name, resolveReward(expression, config.rewards)]),
  )
}

async function keepLogs(store: Store, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      throw new GuerdonError('bad-option', 'there is no such folder of logs.', {
        place: { file: folder },
        fix: "Give the folder that the trainers' `log` files are in.",
      })
    await store.documents.keep(trainingDocument({ logs: folder, created: new Date().toISOString() }))
  }
}

export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

/** Where there is no browser nothing happens: the address is printed. */
export function openInBrowser(address: string): void {
  const command =
    process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open'
  spawn(command, [address], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
