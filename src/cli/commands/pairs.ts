import { buildPairs, type PairStrategy } from '../../apply/pairs.ts'
import { scoredSamples } from '../../apply/scored-samples.ts'
import { writePreferences } from '../../data/index.ts'
import { figure } from '../../stats/figure.ts'
import { runOf, type ScoringOptions, withSession } from '../session.ts'
import { counted } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import { firstReward } from './first-reward.ts'

interface PairsCommandOptions extends ScoringOptions {
  readonly by?: string
  readonly strategy: PairStrategy
  readonly minMargin: number
  readonly maxPerPrompt?: number
  readonly out: string
  readonly as: string
}

/** `guerdon pairs RUN --out FILE`: chosen and rejected for a preference trainer. */
export async function pairsCommand(
  data: string,
  options: PairsCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    const { run, summary } = await runOf(session, data, options, terminal)
    const by = options.by ?? (await firstReward(session.store, run))
    const { preferences, counts } = await buildPairs(scoredSamples(session.store, run), {
      by,
      strategy: options.strategy,
      minMargin: options.minMargin,
      ...(options.maxPerPrompt === undefined ? {} : { maxPairsPerPrompt: options.maxPerPrompt }),
    })
    await writePreferences(options.out, preferences, { convention: options.as as never })
    if (options.json) terminal.result(JSON.stringify({ run, by, file: options.out, ...counts }))
    else {
      terminal.result(
        `${counted(counts.kept, 'pair')} of ${counted(counts.groups, 'prompt')}, by ${by}, in ${options.out} (${options.as})`,
      )
      const dropped = Object.entries(counts).filter(
        ([key, n]) => n > 0 && !['groups', 'candidates', 'proposed', 'kept'].includes(key),
      )
      if (dropped.length > 0)
        terminal.result(
          `not used: ${dropped.map(([key, n]) => `${figure(n)} ${key.replaceAll(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)}`).join(', ')}`,
        )
    }
    return summary !== null && summary.failures > 0 ? 2 : 0
  })
}
