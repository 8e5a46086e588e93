import { scoredSamples } from '../../apply/scored-samples.ts'
import { type SelectMode, select } from '../../apply/select.ts'
import { GuerdonError, groupOf, type Sample, type ScoredSample } from '../../core/index.ts'
import { type TrainingRows, writeTrainingRows } from '../../data/index.ts'
import { figure } from '../../stats/figure.ts'
import { runOf, type ScoringOptions, withSession } from '../session.ts'
import { counted } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import { firstReward } from './first-reward.ts'

interface ExportCommandOptions extends ScoringOptions {
  readonly rows: TrainingRows
  readonly by?: string
  readonly keep?: number
  readonly atLeast?: number
  readonly fraction?: number
  readonly out: string
  readonly for: string
}

/** `guerdon export RUN --out FILE --for TRAINER`: the best answers to imitate, or the prompts to learn on from a reward. */
export async function exportCommand(
  data: string,
  options: ExportCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const mode = modeOf(options)
  return withSession<ExitCode>(options, async (session) => {
    const { run, summary } = await runOf(session, data, options, terminal)
    const file = { rows: options.rows, layout: options.for }
    const exitCode = summary !== null && summary.failures > 0 ? 2 : 0
    if (options.rows === 'prompts') {
      const written = await writeTrainingRows(options.out, prompts(scoredSamples(session.store, run)), file)
      if (options.json) terminal.result(JSON.stringify({ run, file: options.out, prompts: written }))
      else terminal.result(`${counted(written, 'prompt')} in ${options.out} (${options.for})`)
      return exitCode
    }
    const by = options.by ?? (await firstReward(session.store, run))
    const { selected, counts, means } = await select(scoredSamples(session.store, run), { ...mode, by })
    await writeTrainingRows(
      options.out,
      selected.map(({ sample }) => sample),
      file,
    )
    if (options.json) terminal.result(JSON.stringify({ run, by, file: options.out, ...counts, means }))
    else {
      const mean = (value: number | null) => (value === null ? 'none' : figure(value))
      terminal.result(
        `${counted(counts.selected, 'answer')} of ${figure(counts.samples)} to ${counted(counts.groups, 'prompt')}, by ${by}, in ${options.out} (${options.for})`,
      )
      terminal.result(
        `mean score ${mean(means.selected)}, of all ${mean(means.all)}${counts.unscored > 0 ? `; ${figure(counts.unscored)} unscored, never selected` : ''}`,
      )
    }
    return exitCode
  })
}

function modeOf({ keep, atLeast, fraction }: ExportCommandOptions): SelectMode {
  if ([keep, atLeast, fraction].filter((given) => given !== undefined).length > 1)
    throw new GuerdonError('bad-option', '--keep, --at-least and --fraction say three different things.', {
      fix: 'Give one of them.',
    })
  if (atLeast !== undefined) return { mode: 'threshold', atLeast }
  if (fraction !== undefined) return { mode: 'global', fraction }
  return { mode: 'local', keep: keep ?? 1 }
}

/** One sample of each prompt. */
async function* prompts(
  samples: AsyncIterable<ScoredSample> | Iterable<ScoredSample>,
): AsyncGenerator<Sample> {
  const seen = new Set<string>()
  for await (const { sample } of samples) {
    const group = groupOf(sample)
    if (!seen.has(group)) yield sample
    seen.add(group)
  }
}
