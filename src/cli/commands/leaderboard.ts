import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { headlineFigure } from '../../apply/audit-verdict.ts'
import { leaderboardDocument } from '../../apply/kept-documents.ts'
import { type Leaderboard, leaderboard } from '../../apply/leaderboard.ts'
import { leaderboardReport } from '../../apply/leaderboard-report.ts'
import { GuerdonError, Rng } from '../../core/index.ts'
import { openAll } from '../../methods/audit-by-name.ts'
import { resolveReward } from '../../methods/resolve.ts'
import { figure, intervalFigure } from '../../stats/figure.ts'
import { reportPicture } from '../report-picture.ts'
import { judgingWork, readOptions, type ScoringOptions, withSession } from '../session.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

interface LeaderboardCommandOptions extends ScoringOptions {
  readonly on: readonly string[]
  readonly out: string
}

/** `guerdon leaderboard REWARDS... --on BENCHMARKS`: many rewards on the same items, side by side. */
export async function leaderboardCommand(
  expressions: readonly string[],
  options: LeaderboardCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, (session) =>
    judgingWork(session, options, terminal, async (signal) => {
      const { config, store } = session
      const judges = Object.fromEntries(
        expressions.map((text) => {
          const [, name = text.trim(), expression = text] = /^([A-Za-z][\w.-]*)=(.+)$/s.exec(text) ?? []
          return [name, resolveReward(expression, config.rewards)]
        }),
      )
      if (Object.keys(judges).length < expressions.length)
        throw new GuerdonError('duplicate-reward', 'two rewards have the same name.', {
          fix: 'Give one another name: NAME=EXPRESSION.',
        })
      const { benchmarks } = await openAll(options.on, options.seed ?? '0', readOptions(options))
      if (benchmarks.length === 0)
        throw new GuerdonError('no-labels', `none of ${options.on.join(', ')} says which outputs are good.`)
      const board = await leaderboard({
        judges,
        benchmarks,
        store,
        signal,
        rng: new Rng(options.seed ?? '0'),
        onProgress: (what, done, total) => terminal.progress(what, done, total),
      })
      terminal.progressEnd()
      await writeFile(options.out, await leaderboardReport(board))
      await store.documents.keep(
        await leaderboardDocument(board, {
          created: new Date().toISOString(),
          picture: reportPicture(process.cwd()),
        }),
      )
      if (options.json) terminal.result(JSON.stringify({ ...withoutRows(board), file: resolve(options.out) }))
      else printBoard(board, options, terminal)
      return 0
    }),
  )
}

function withoutRows({ boards, ...rest }: Leaderboard) {
  return {
    ...rest,
    boards: boards.map(({ benchmark, rows, differences }) => ({
      benchmark: benchmark.spec.name,
      items: benchmark.items.length,
      rows: rows.map(({ result: { rows: _, ...result }, ...row }) => ({ ...row, result })),
      differences,
    })),
  }
}

function printBoard(
  { boards, overall }: Leaderboard,
  options: LeaderboardCommandOptions,
  terminal: Terminal,
): void {
  for (const { benchmark, rows } of boards) {
    terminal.result(
      `${benchmark.spec.title} (${figure(benchmark.items.length)} items, chance ${figure(benchmark.spec.chance)})`,
    )
    for (const line of table(
      ['reward', 'place', 'score', 'length balanced', 'longer - shorter', 'score ~ length', 'not judged'],
      rows.map(({ judge, place, result, length }) => [
        judge,
        String(place),
        headlineFigure(result),
        intervalFigure(length?.balanced),
        intervalFigure(length?.gap),
        figure(length?.correlation?.estimate, 2),
        figure(result.unscored.total),
      ]),
    ))
      terminal.result(`  ${line}`)
  }
  if (overall !== null && boards.length > 1) {
    terminal.result('over all benchmarks')
    for (const line of table(
      ['reward', 'rating', 'low', 'high'],
      overall.map(({ judge, rating, low, high }) => [
        judge,
        rating.toFixed(0),
        low.toFixed(0),
        high.toFixed(0),
      ]),
    ))
      terminal.result(`  ${line}`)
  }
  terminal.result(`\nreport: ${resolve(options.out)}`)
}
