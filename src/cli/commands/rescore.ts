import { recombined } from '../../apply/recombined.ts'
import { rescore } from '../../apply/rescore.ts'
import { scoredSamples } from '../../apply/scored-samples.ts'
import { GuerdonError } from '../../core/index.ts'
import { figure, intervalFigure } from '../../stats/figure.ts'
import { type GlobalOptions, runOf, withSession } from '../session.ts'
import { shortened } from '../summary.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import { firstReward } from './first-reward.ts'

interface RescoreCommandOptions extends GlobalOptions {
  readonly weights: string
  readonly before?: string
}

/** `guerdon rescore RUN --weights "0.5*a + 2*b"`: what other weights would change, without judging again. */
export async function rescoreCommand(
  data: string,
  options: RescoreCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    const { run } = await runOf(session, data, options, terminal)
    const before = options.before ?? (await firstReward(session.store, run))
    const after = recombined({
      terms: weightedTerms(options.weights),
      mode: 'sum',
      from: before,
      name: options.weights,
    })
    const result = await rescore(scoredSamples(session.store, run), { before, after })
    if (options.json) {
      terminal.result(JSON.stringify({ run, ...result }))
      return 0
    }
    const { ranks, advantages, pairs } = result
    terminal.result(
      `${before} -> ${options.weights}: ${figure(result.scored.both)} of ${figure(result.samples)} samples scored both ways`,
    )
    for (const line of table(
      ['what changes', 'changed', 'of'],
      [
        ['best candidate of a prompt', figure(ranks.bestChanged), figure(ranks.groups)],
        ['order inside a prompt', figure(ranks.orderChanged), figure(ranks.groups)],
        ['sign of a group advantage', figure(advantages.signChanged), figure(advantages.compared)],
        ['pairs reversed', figure(pairs.reversed), figure(pairs.before)],
        ['pairs lost', figure(pairs.lost), figure(pairs.before)],
        ['pairs gained', figure(pairs.gained), figure(pairs.after)],
      ],
    ))
      terminal.result(`  ${line}`)
    terminal.result(
      `  Kendall tau-b of the orders ${intervalFigure(ranks.kendall)}; flat groups ${figure(advantages.flatBefore)} -> ${figure(advantages.flatAfter)}`,
    )
    if (result.changes.length > 0) {
      terminal.result('\nlargest changes of advantage')
      for (const line of table(
        ['sample', 'before', 'after', 'place', 'advantage'],
        result.changes
          .slice(0, 10)
          .map((change) => [
            shortened(change.id),
            figure(change.before),
            figure(change.after),
            `${change.placeBefore ?? '-'} -> ${change.placeAfter ?? '-'}`,
            `${figure(change.advantageBefore, 2)} -> ${figure(change.advantageAfter, 2)}`,
          ]),
      ))
        terminal.result(`  ${line}`)
    }
    return 0
  })
}

/** `0.5*format + 2*correctness - length` as terms with weights; a minus between terms stands between spaces. */
export function weightedTerms(text: string): { name: string; weight: number }[] {
  const pieces = text.trim().split(/\s*\+\s*|\s+(?=-\s)/)
  return pieces.map((piece) => {
    const match = /^(-?)\s*(?:(\d+(?:\.\d*)?|\.\d+)\s*\*\s*)?([A-Za-z][\w.@-]*)$/.exec(piece)
    if (!match)
      throw new GuerdonError('bad-option', `"${piece}" is not WEIGHT*TERM.`, {
        fix: 'Write such as "0.5*format + 2*correctness"; terms are rewards or their parts.',
      })
    return { name: match[3]!, weight: (match[1] === '-' ? -1 : 1) * Number(match[2] ?? 1) }
  })
}
