import { spawn } from 'node:child_process'
import type { RunningServer } from '../../serve/ui-server.ts'
import { type GlobalOptions, type Session, withSession } from '../session.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface UiCommandOptions extends GlobalOptions {
  readonly port: number
  readonly open: boolean
}

/** `guerdon ui`: the page in the browser on the store, until it is interrupted. */
export async function uiCommand(options: UiCommandOptions, terminal: Terminal): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    const server = await openUi(session, options)
    if (options.json) terminal.result(JSON.stringify({ url: server.url }))
    else terminal.result(`the store ${session.store.location}\nis shown at ${server.url}`)
    if (options.open && process.stdout.isTTY) openInBrowser(server.url)
    terminal.note('Ctrl+C ends it.')
    await interrupted()
    await server.close()
    return 0
  })
}

export async function openUi(
  { store, config }: Pick<Session, 'store' | 'config'>,
  { port }: { readonly port: number },
): Promise<RunningServer> {
  const { startUi } = await import('../../serve/ui-server.ts')
  return startUi({ store, port, ...(config.rewards === undefined ? {} : { own: config.rewards }) })
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
