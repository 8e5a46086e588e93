import { type Outcomes, rank } from '../../apply/rank.ts'
import { scoredSamples } from '../../apply/scored-samples.ts'
import { figure, intervalFigure } from '../../stats/figure.ts'
import { runOf, type ScoringOptions, withSession } from '../session.ts'
import { shortened } from '../summary.ts'
import { counted, table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import { firstReward } from './first-reward.ts'

interface RankCommandOptions extends ScoringOptions {
  readonly by?: string
  readonly gold?: string
  readonly ties: 'first' | 'expectation'
  readonly top: number
}

/** `guerdon rank RUN`: the best of each prompt's candidates, and what choosing by this reward earns. */
export async function rankCommand(
  data: string,
  options: RankCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    const { run, summary } = await runOf(session, data, options, terminal)
    const by = options.by ?? (await firstReward(session.store, run))
    const ranking = await rank(scoredSamples(session.store, run), {
      by,
      ties: options.ties,
      ...(options.gold === undefined ? {} : { gold: options.gold }),
    })
    if (options.json) {
      terminal.result(JSON.stringify({ run, ...ranking }))
      return summary !== null && summary.failures > 0 ? 2 : 0
    }
    terminal.result(
      `${counted(ranking.candidates, 'candidate')} of ${counted(ranking.groups.length, 'prompt')}, ranked by ${by}${
        ranking.unscored > 0 ? ` (of which ${figure(ranking.unscored)} unscored: they never win)` : ''
      }`,
    )
    for (const { group, candidates } of ranking.groups.slice(0, options.top)) {
      const order = candidates
        .slice(0, 5)
        .map(({ id, value }) => `${shortened(id)} (${figure(value)})`)
        .join('  ')
      terminal.result(
        `  ${shortened(group, 40)}: ${order}${candidates.length > 5 ? `  ... ${candidates.length - 5} more` : ''}`,
      )
    }
    if (ranking.groups.length > options.top)
      terminal.result(`  ... and ${counted(ranking.groups.length - options.top, 'more prompt')} (--top N)`)
    terminal.result(`\nwhat choosing earns, in ${ranking.gold} (mean over prompts, 95% interval)`)
    const ways: readonly [keyof Outcomes, string][] = [
      ['random', 'at random'],
      ['first', 'the first'],
      ['majority', 'the majority answer'],
      ['chosen', `best by ${by}`],
      ['oracle', 'oracle'],
    ]
    const rows = ways.flatMap(([key, label]) => {
      const outcome = ranking.outcomes[key]
      return outcome === null ? [] : [[label, intervalFigure(outcome), String(outcome.n)]]
    })
    for (const line of table(['choice', ranking.gold, 'prompts'], rows)) terminal.result(`  ${line}`)
    const { overRandom } = ranking.gains
    if (overRandom) terminal.result(`  gain over random: ${intervalFigure(overRandom)}`)
    if (ranking.unrankable.length > 0)
      terminal.problem(`without a scored candidate: ${counted(ranking.unrankable.length, 'prompt')}`)
    return summary !== null && summary.failures > 0 ? 2 : 0
  })
}
