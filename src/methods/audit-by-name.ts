import { existsSync } from 'node:fs'
import { type Audit, type AuditOptions, audit } from '../apply/audit.ts'
import { fileBenchmark } from '../apply/file-benchmark.ts'
import type { AttackItem } from '../audit/attacks/attack.ts'
import { attackItems, attackItemsOfTargets } from '../audit/attacks/attack-items.ts'
import { attacks, attacksNamed } from '../audit/attacks/attacks.ts'
import { attackTargets } from '../audit/attacks/targets/index.ts'
import { type Benchmark, openBenchmark } from '../audit/benchmarks/index.ts'
import { GuerdonError, Rng } from '../core/index.ts'
import type { ReadOptions } from '../data/read.ts'
import { type OwnRewards, resolveReward, rewardTypeNamed } from './resolve.ts'

/** An audit as data: everything by its name, so that any process can do it. */
export interface NamedAudit {
  /** The reward, as an expression. */
  readonly expression: string
  /** Benchmarks by name, `NAME=FOLDER`, and data files. */
  readonly on: readonly string[]
  /** Attacks by name or family; `true` = all. @default none */
  readonly attacks?: readonly string[] | true
  /** Items that are attacked, at most. */
  readonly items: number
  readonly stopAt?: number
  readonly seed: string
  /** How data files are read; its `limit` holds for benchmarks as well. */
  readonly read: ReadOptions
}

/** @throws GuerdonError `nothing-to-audit`, and what resolving, opening and auditing throw */
export async function auditByName(
  { expression, on, attacks: named, items: most, stopAt, seed, read }: NamedAudit,
  { rewards, ...shared }: Pick<AuditOptions, 'store' | 'signal' | 'onProgress'> & { rewards?: OwnRewards },
): Promise<{ readonly found: Audit; readonly judge: ReturnType<typeof resolveReward> }> {
  const judge = resolveReward(expression, rewards)
  const { benchmarks, items } = await openAll(on, seed, read)
  const targets = named === undefined ? [] : targetsOf(expression)
  if (benchmarks.length === 0 && items.length === 0 && targets.length === 0)
    throw new GuerdonError('nothing-to-audit', `there is nothing to audit "${expression}" on.`, {
      fix: 'Name a benchmark or a file with --on ("guerdon audit --help" shows how), or add --attacks for a reward with built-in targets.',
    })
  const found = await audit({
    ...shared,
    name: expression,
    judge,
    benchmarks,
    rng: new Rng(seed),
    targets,
    ...(named === undefined
      ? {}
      : {
          attacks: {
            attacks: named === true ? attacks : attacksNamed(named),
            items: items.length > 0 ? items : attackItemsOfTargets(targets.map(({ target }) => target)),
            most,
            ...(stopAt === undefined ? {} : { stopAt }),
          },
        }),
  })
  return { found, judge }
}

/** Benchmarks by name, and a user's own files. */
export async function openAll(
  references: readonly string[],
  seed: string,
  read: ReadOptions,
): Promise<{ readonly benchmarks: readonly Benchmark[]; readonly items: readonly AttackItem[] }> {
  const benchmarks: Benchmark[] = []
  const items: AttackItem[] = []
  for (const reference of references) {
    if (existsSync(reference) || reference.startsWith('hf://')) {
      const own = await fileBenchmark(reference, read)
      if (own.benchmark !== null) benchmarks.push(own.benchmark)
      items.push(...own.attackItems)
      continue
    }
    const benchmark = await openBenchmark(reference, {
      seed,
      ...(read.limit === undefined ? {} : { limit: read.limit }),
    })
    benchmarks.push(benchmark)
    items.push(...attackItems(benchmark.items))
  }
  return { benchmarks, items }
}

/** The built-in targets of a registered reward, in the variant that the expression names. */
function targetsOf(expression: string) {
  const [, name, given = ''] = /^\s*([\w-]+)\s*(?:\((.*)\))?\s*$/s.exec(expression) ?? []
  const variant = /\bvariant\s*=\s*(released|paper|guarded)\b/.exec(given)?.[1]
  return attackTargets
    .filter(({ reward }) => reward === name)
    .map((target) => ({
      target,
      reward: rewardTypeNamed(target.reward).create({
        ...target.options,
        ...(variant === undefined ? {} : { variant }),
      }),
    }))
}
