import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { GuerdonError } from '../../core/index.ts'
import { loadCheckpoint, restored, saveCheckpoint } from '../../tensor/checkpoint.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'

/** Parameters of a policy by the part they play in an iteration. */
export interface CheckpointSet {
  /** Before the first iteration. */
  readonly initial: Tree<Tensor>
  /** One iteration ago; the initial ones in the first. */
  readonly previous: Tree<Tensor>
  /** What writes now. */
  readonly current: Tree<Tensor>
  /** Those of the iteration that did best so far, by the trainer's rule; the initial ones until one was measured. */
  readonly best: Tree<Tensor>
  /** A role by its name: one of these four, or of the past iterations that the trainer was asked to keep. */
  named(role: string): Tree<Tensor>
}

/** An iteration of the past: so many iterations `back`, or the one `before` which they stood; the initial ones till then. */
export type PastIteration = { readonly back: number } | { readonly before: number }

export interface CheckpointSetOptions {
  readonly initial: Tree<Tensor>
  /** What training goes on with; the initial ones at the start. */
  readonly current: Tree<Tensor>
  /** Past iterations with names of their own. */
  readonly past?: Readonly<Record<string, PastIteration>>
  /** Files are written beside this one; none without it. */
  readonly path?: string
  /** What `state` gave when the files were written. */
  readonly resumed?: CheckpointSetState
}

/** Parameters are numbered by the iteration that they stand before: 0 are the initial ones. */
export interface CheckpointSetState {
  readonly current: number
  readonly best: number
}

/** Keeps the parameters that roles stand for, and no others, in memory and beside the checkpoint. */
export interface KeptCheckpoints {
  readonly set: CheckpointSet
  readonly state: CheckpointSetState
  /** After an iteration: its result is current now; `best` says whether what it began with is the best so far. */
  next(parameters: Tree<Tensor>, best: boolean): void
  /** Writes what the roles stand for, but for initial and current parameters, which others keep. */
  save(): Promise<void>
  /** Removes files that no role stands for any more. */
  tidy(): Promise<void>
}

/** Throws `checkpoint-missing` when a resumed set lacks a file. */
export async function keptCheckpoints(options: CheckpointSetOptions): Promise<KeptCheckpoints> {
  const { initial, past = {}, path, resumed } = options
  let state: CheckpointSetState = resumed ?? { current: 0, best: 0 }
  const versions = new Map([
    [0, initial],
    [state.current, options.current],
  ])
  if (resumed === undefined) await removeFiles(() => true)
  for (const version of needed())
    if (!versions.has(version))
      versions.set(version, restored(initial, await loadCheckpoint(fileOf(version))) as Tree<Tensor>)

  function fileOf(version: number): string {
    return `${path}.before-${version}`
  }
  function versionOf(role: string): number {
    if (role === 'initial') return 0
    if (role === 'previous') return Math.max(0, state.current - 1)
    if (role === 'current') return state.current
    if (role === 'best') return state.best
    const named = past[role]!
    if ('back' in named) return Math.max(0, state.current - named.back)
    return state.current < named.before ? 0 : named.before
  }
  function needed(): Set<number> {
    const roles = ['previous', 'best', ...Object.keys(past)]
    const now = roles.map((role) => versionOf(role))
    // what a role will stand for later has to be kept till then
    const back = Math.max(1, ...Object.values(past).map((one) => ('back' in one ? one.back : 1)))
    const coming = Array.from({ length: back }, (_, index) => Math.max(0, state.current - index))
    return new Set([...now, ...coming])
  }
  return {
    get set() {
      const roles = ['initial', 'previous', 'current', 'best', ...Object.keys(past)]
      const by = new Map(roles.map((role) => [role, versions.get(versionOf(role))!]))
      const named = (role: string) => {
        const found = by.get(role)
        if (found !== undefined) return found
        throw new GuerdonError('unknown-role', `no parameters have the role "${role}".`, {
          fix: `There are ${roles.join(', ')}; name past iterations in \`past\`.`,
        })
      }
      return {
        initial,
        previous: named('previous'),
        current: named('current'),
        best: named('best'),
        named,
      }
    },
    get state() {
      return state
    },
    next(parameters, best) {
      state = { current: state.current + 1, best: best ? state.current : state.best }
      versions.set(state.current, parameters)
      const wanted = needed()
      for (const version of versions.keys())
        if (version !== 0 && version !== state.current && !wanted.has(version)) versions.delete(version)
    },
    async save() {
      if (path === undefined) return
      for (const version of needed())
        if (version !== 0 && version !== state.current && !existsSync(fileOf(version)))
          await saveCheckpoint(fileOf(version), versions.get(version)!)
    },
    async tidy() {
      const wanted = needed()
      await removeFiles((version) => !wanted.has(version))
    },
  }

  async function removeFiles(unwanted: (version: number) => boolean): Promise<void> {
    if (path === undefined) return
    const prefix = `${basename(path)}.before-`
    const files = await readdir(dirname(path)).catch(() => [])
    for (const file of files)
      if (file.startsWith(prefix) && unwanted(Number(file.slice(prefix.length))))
        await rm(join(dirname(path), file), { force: true })
  }
}
