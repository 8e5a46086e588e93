import { leavesOf, type Tensor, type Tree } from '../../tensor/tree.ts'
import type { Pretrained } from './pretrain.ts'
import type { Metric, Recipe } from './recipe.ts'

export interface CardFacts {
  readonly recipe: Recipe
  readonly made: Pretrained
  readonly parameters: Tree<Tensor>
  /** Of the file of weights. */
  readonly bytes: number
  readonly metrics: readonly Metric[]
  readonly evaluation: { readonly seed: string; readonly samples: number }
  /** Machine and versions. */
  readonly machine: string
}

/** The card of a model in Markdown: how it was made, what was measured, where it falls short. */
export function modelCard({
  recipe,
  made,
  parameters,
  bytes,
  metrics,
  evaluation,
  machine,
}: CardFacts): string {
  const { manifest, seconds, loss } = made
  const { training, network } = manifest
  const count = leavesOf(parameters).reduce((sum, { leaf }) => sum + leaf.data.length, 0)
  const missed = metrics.filter((metric) => !isMet(metric))
  return `${[
    `# ${recipe.name}`,
    recipe.summary,
    '## How it was made',
    [
      `- Command: \`${training.command}\``,
      `- Seed ${training.seed}, ${training.steps.toLocaleString('en')} steps, ${minutes(seconds)} of training; ${machine}`,
      ...(recipe.from === undefined
        ? []
        : [
            `- Started from \`${recipe.from.model}\`${recipe.from.parts === undefined ? '' : `: ${Object.keys(recipe.from.parts).join(', ')}`}`,
          ]),
      ...(loss === undefined ? [] : [`- Loss of the last step: ${loss.toFixed(4)}`]),
      `- Network: ${network.kind}, ${count.toLocaleString('en')} parameters, ${(bytes / 1e6).toFixed(2)} MB as float16; its whole configuration and vocabulary are in the file's metadata`,
    ].join('\n'),
    '## Data',
    recipe.data,
    '## Measured',
    `From the float16 weights, with 95% intervals; evaluation seed ${evaluation.seed}, up to ${evaluation.samples} held-out tasks or scenes for each metric.`,
    [
      '| Metric | Value | 95% interval | n | Wanted | Note |',
      '| --- | ---: | --- | ---: | --- | --- |',
      ...metrics.map(metricRow),
    ].join('\n'),
    '## Known failures',
    [
      ...missed.map(
        (metric) =>
          `- Outside what was wanted: ${metric.name} is ${figure(metric)} (wanted ${wanted(metric)}).`,
      ),
      ...recipe.limits.map((limit) => `- ${limit}`),
    ].join('\n'),
  ].join('\n\n')}\n`
}

/** Whether a metric lies where it should. */
export function isMet({ interval, least, most }: Metric): boolean {
  if (least === undefined && most === undefined) return true
  return (
    interval !== null &&
    interval.estimate >= (least ?? Number.NEGATIVE_INFINITY) &&
    interval.estimate <= (most ?? Number.POSITIVE_INFINITY)
  )
}

/** "at least 0.97", "0.2 to 0.6", "" */
export function wanted({ least, most }: Metric): string {
  if (least !== undefined && most !== undefined) return `${least} to ${most}`
  return least !== undefined ? `at least ${least}` : most !== undefined ? `at most ${most}` : ''
}

function metricRow(metric: Metric): string {
  const { name, interval, note = '' } = metric
  const bounds = interval === null ? '' : `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`
  return `| ${name} | ${figure(metric)} | ${bounds} | ${interval?.n ?? 0} | ${wanted(metric)} | ${note} |`
}

function figure({ interval }: Metric): string {
  return interval === null ? '-' : interval.estimate.toFixed(3)
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`
}
