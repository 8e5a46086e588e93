import { compare } from '../../apply/compare.ts'
import { scoredSamples } from '../../apply/scored-samples.ts'
import type { ExitCode } from '../program.ts'
import { runOf, type ScoringOptions, withSession } from '../session.ts'
import { figure, table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { firstReward } from './first-reward.ts'
import { intervalText } from './rank.ts'

interface CompareCommandOptions extends ScoringOptions {
  readonly first?: string
  readonly second?: string
}

/** `guerdon compare RUN`: how far two measures agree, overall and inside prompts. */
export async function compareCommand(
  data: string,
  options: CompareCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    const { run, summary } = await runOf(session, data, options, terminal)
    const first = options.first ?? (await firstReward(session.store, run))
    const second = options.second ?? (await firstReward(session.store, run, 1))
    const result = await compare(scoredSamples(session.store, run), { first, second })
    const exitCode = summary !== null && summary.failures > 0 ? 2 : 0
    if (options.json) {
      terminal.result(JSON.stringify({ run, ...result }))
      return exitCode
    }
    const missing = result.samples - result.compared
    terminal.result(
      `${first} against ${second}: ${figure(result.compared)} of ${figure(result.samples)} samples have both${missing > 0 ? ` (${figure(missing)} left out)` : ''}, ${figure(result.groups)} prompts`,
    )
    const { pairs } = result.within
    for (const line of table(
      ['agreement', 'overall', 'inside prompts'],
      [
        ['Spearman', intervalText(result.spearman), intervalText(result.within.spearman)],
        ['Kendall tau-b', intervalText(result.kendall), intervalText(result.within.kendall)],
        ['Pearson', intervalText(result.pearson), intervalText(result.within.pearson)],
        ['accuracy on pairs', '-', intervalText(pairs.accuracy)],
      ],
    ))
      terminal.result(`  ${line}`)
    terminal.result(
      `  pairs: ${figure(pairs.counted)} of ${figure(pairs.pairs)} counted; ties of ${first} count half (${figure(pairs.predictedTies)}), ties of ${second} are left out (${figure(pairs.labelTies)})`,
    )
    if (result.kappa?.plain)
      terminal.result(
        `  Cohen's kappa ${figure(result.kappa.plain.kappa)}, quadratic ${figure(result.kappa.quadratic.kappa)}`,
      )
    if (result.disagreements.length > 0) {
      terminal.result('\nworst disagreements (gap between the two rankings)')
      for (const line of table(
        ['sample', first, second, 'gap'],
        result.disagreements
          .slice(0, 10)
          .map(({ id, first, second, rankGap }) => [id, figure(first), figure(second), figure(rankGap, 2)]),
      ))
        terminal.result(`  ${line}`)
    }
    return exitCode
  })
}
