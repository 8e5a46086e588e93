import { compare } from '../../apply/compare.ts'
import { compareToLabel } from '../../apply/compare-to-label.ts'
import { scoredSamples } from '../../apply/scored-samples.ts'
import { figure, intervalFigure } from '../../stats/figure.ts'
import { runOf, type ScoringOptions, type Session, withSession } from '../session.ts'
import { shortened } from '../summary.ts'
import { counted, table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import { firstReward } from './first-reward.ts'

interface CompareCommandOptions extends ScoringOptions {
  readonly first?: string
  readonly second?: string
  readonly label?: string
}

/** `guerdon compare RUN`: how far two measures agree, overall and inside prompts. */
export async function compareCommand(
  data: string,
  options: CompareCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    const { run, summary } = await runOf(session, data, options, terminal)
    const exitCode = summary !== null && summary.failures > 0 ? 2 : 0
    if (options.label !== undefined) {
      await againstLabel(session, run, options.label, options, terminal)
      return exitCode
    }
    const first = options.first ?? (await firstReward(session.store, run))
    const second = options.second ?? (await firstReward(session.store, run, 1))
    const result = await compare(scoredSamples(session.store, run), { first, second })
    if (options.json) {
      terminal.result(JSON.stringify({ run, ...result }))
      return exitCode
    }
    const missing = result.samples - result.compared
    terminal.result(
      `${first} against ${second}: ${figure(result.compared)} of ${figure(result.samples)} samples have both${missing > 0 ? ` (${figure(missing)} left out)` : ''}, ${counted(result.groups, 'prompt')}`,
    )
    const { pairs } = result.within
    for (const line of table(
      ['agreement', 'overall', 'inside prompts'],
      [
        ['Spearman', intervalFigure(result.spearman), intervalFigure(result.within.spearman)],
        ['Kendall tau-b', intervalFigure(result.kendall), intervalFigure(result.within.kendall)],
        ['Pearson', intervalFigure(result.pearson), intervalFigure(result.within.pearson)],
        ['accuracy on pairs', '-', intervalFigure(pairs.accuracy)],
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
          .map(({ id, first, second, rankGap }) => [
            shortened(id),
            figure(first),
            figure(second),
            figure(rankGap, 2),
          ]),
      ))
        terminal.result(`  ${line}`)
    }
    return exitCode
  })
}

/** Every reward of the run against one label, and the rewards against each other on the same pairs. */
async function againstLabel(
  { store }: Session,
  run: string,
  label: string,
  { json }: CompareCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const rewards = (await store.runs.find(run))!.rewards
    .map(({ name }) => name)
    .filter((name) => name !== label)
  const result = await compareToLabel(scoredSamples(store, run), { label, rewards })
  if (json) {
    terminal.result(JSON.stringify({ run, ...result }))
    return
  }
  terminal.result(`rewards against ${label} (95% intervals over prompts)`)
  for (const line of table(
    ['reward', 'samples', 'Spearman inside prompts', 'right on pairs', 'pairs', 'kappa'],
    result.rewards.map(({ first, compared, within }) => {
      const judge = result.pairs.judges.find((item) => item.judge === first)
      return [
        first,
        figure(compared),
        intervalFigure(within.spearman),
        intervalFigure(judge?.accuracy ?? null),
        figure(judge?.counts.counted ?? 0),
        figure(judge?.kappa),
      ]
    }),
  ))
    terminal.result(`  ${line}`)
  if (result.pairs.differences.length === 0) return
  terminal.result('\non the same pairs')
  for (const line of table(
    ['first', 'second', 'difference in accuracy', 'only first right', 'only second', "McNemar's p"],
    result.pairs.differences.map(({ first, second, accuracy, mcnemar }) => [
      first,
      second,
      intervalFigure(accuracy),
      figure(mcnemar.onlyFirst),
      figure(mcnemar.onlySecond),
      mcnemar.mid < 0.001 ? '<0.001' : figure(mcnemar.mid),
    ]),
  ))
    terminal.result(`  ${line}`)
}
