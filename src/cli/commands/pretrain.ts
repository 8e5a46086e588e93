import { isMet, wanted } from '../../learn/pretrain/card.ts'
import { stepsOf } from '../../learn/pretrain/recipe.ts'
import { recipeOf } from '../../learn/pretrain/recipes.ts'
import { trainEmbedded } from '../../learn/pretrain/train-embedded.ts'
import { figure } from '../../stats/figure.ts'
import { table } from '../table.ts'
import { duration, type ExitCode, type Terminal } from '../terminal.ts'

interface PretrainCommandOptions {
  readonly seed: string
  readonly steps?: number
  readonly out: string
  readonly resume?: boolean
  readonly samples: number
  readonly threads: number
  readonly json?: boolean
}

/** `guerdon pretrain NAME`: trains an embedded model, measures it and writes its card. Interrupted, it can go on. */
export async function pretrainCommand(
  name: string,
  options: PretrainCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const recipe = await recipeOf(name)
  const { seed, resume = false, samples, threads, json } = options
  const steps = options.steps ?? stepsOf(recipe)
  const directory = options.out
  const interrupted = new AbortController()
  const stop = () => interrupted.abort(new Stopped())
  process.once('SIGINT', stop)
  try {
    const made = await trainEmbedded(recipe, {
      seed,
      steps,
      directory,
      resume,
      samples,
      threads,
      signal: interrupted.signal,
      onStep: ({ step }) => terminal.progress(name, step + 1, steps),
      onMeasure: () => {
        terminal.progressEnd()
        terminal.note('measuring on held-out data')
      },
    })
    if (json) {
      const { path, card, seconds, loss, metrics } = made
      terminal.result(JSON.stringify({ name, seed, steps, seconds, loss, path, card, metrics }))
      return 0
    }
    terminal.result(
      `${name}: ${figure(steps)} steps with seed ${seed}, ${duration(made.seconds)} of training`,
    )
    for (const line of table(
      ['metric', 'value', '95% interval', 'n', 'wanted', ''],
      made.metrics.map((metric) => [
        metric.name,
        figure(metric.interval?.estimate),
        metric.interval === null ? '-' : `${figure(metric.interval.low)} to ${figure(metric.interval.high)}`,
        figure(metric.interval?.n ?? 0),
        wanted(metric),
        isMet(metric) ? '' : 'missed',
      ]),
    ))
      terminal.result(`  ${line}`)
    terminal.result(`weights: ${made.path}`)
    terminal.result(`card: ${made.card}`)
    return 0
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    terminal.progressEnd()
    terminal.note('stopped; the same command with --resume goes on')
    return 130
  } finally {
    process.off('SIGINT', stop)
  }
}

class Stopped extends Error {}
