import { writeFile } from 'node:fs/promises'
import { shimSource } from '../../serve/shims/shims.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface ShimCommandOptions {
  readonly url: string
  readonly reward: string
  readonly parts?: readonly string[]
  readonly out?: string
}

/** `guerdon shim TRAINER`: the Python file that a trainer imports, on standard output or in a file. */
export async function shimCommand(
  trainer: string,
  { out, ...options }: ShimCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const source = shimSource(trainer, options)
  if (out === undefined) terminal.result(source.trimEnd())
  else {
    await writeFile(out, source)
    terminal.note(`the shim is in ${out}`)
  }
  return 0
}
