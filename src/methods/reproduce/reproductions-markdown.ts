import { figure } from '../../stats/figure.ts'
import { catalogueEntry } from '../catalogue/catalogue.ts'
import { metricText } from './report.ts'
import type { ReproductionResult, TunedArm } from './reproduce.ts'
import type { ReproductionSummary } from './verdicts.ts'

/** The verdicts as a page: what was claimed, what was measured, and every criterion, held or not. */
export function reproductionsMarkdown(results: readonly ReproductionSummary[]): string {
  const rows = results.map(({ id, verdict, seeds, seconds }) => {
    const entry = catalogueEntry(id)
    return `| ${entry.number} | [${entry.name}](#${id}) | ${verdict ?? 'none'} | ${seeds} | ${figure(seconds / 60, 1)} |`
  })
  return `# Reproductions

Written by \`npm run reproduce\` from \`reproductions/\`: each published system on small worlds, against baselines and controls, with the verdict
that the rule gives. Intervals are of the mean over seeds (95 %).

| no. | system | verdict | seeds | minutes of one core |
| --: | --- | --- | --: | --: |
${rows.join('\n')}
${results.map(section).join('')}`
}

function tuned(tuning: ReproductionResult['tuning']): string {
  if (tuning.length === 0) return ''
  const [{ what, metric, seeds }] = tuning as [TunedArm]
  const each = tuning.map(({ trials, chosen, usedBy }) => {
    const tried = trials.map(({ value, mean }) => `${value}: ${mean === null ? 'failed' : figure(mean)}`)
    return `${usedBy.join(', ')} ${chosen} (${tried.join(', ')})`
  })
  return `\nTuned: ${what}, by ${metric}, on seed ${seeds.join(' and ')}, the same grid for all: ${each.join('; ')}.\n`
}

function section({ id, claim, criteria, arms, tuning, failures }: ReproductionSummary): string {
  const { name } = catalogueEntry(id)
  const metrics = [...new Set(arms.flatMap(({ metrics }) => Object.keys(metrics)))]
  const failed = failures.map(({ run, reason }) => `- ${run} failed: ${reason}`)
  return `
## ${id}

${name}. ${claim}

| criterion | kind | holds | measured |
| --- | --- | --- | --- |
${criteria.map((one) => `| ${one.name} | ${one.kind} | ${one.holds ? 'yes' : 'no'} | ${one.measured} |`).join('\n')}

| arm | ${metrics.join(' | ')} | samples | what it is |
| --- | ${metrics.map(() => '--:').join(' | ')} | --: | --- |
${arms
  .map(
    (arm) =>
      `| ${arm.arm} | ${metrics.map((metric) => metricText(arm.metrics[metric])).join(' | ')} | ${figure(arm.samples)} | ${arm.description} |`,
  )
  .join('\n')}
${tuned(tuning)}${failed.length === 0 ? '' : `\n${failed.join('\n')}\n`}`
}
