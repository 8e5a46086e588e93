import { useState } from 'react'
import { Link } from 'wouter'
import { encode, useAnswer } from '../api.ts'
import { counted, figure, interval, moment } from '../format.ts'
import { type CasesBehind, CasesDrawer } from '../parts/cases.tsx'
import { Spread } from '../parts/scores.tsx'
import { Answered } from '../parts/states.tsx'
import type { KeptDocumentOf, KeptLeaderboard, KeptOutcome } from '../wire.ts'

type Board = KeptLeaderboard['boards'][number]

/** Rewards side by side on the same items; scores and differences open the items that make them. */
export default function LeaderboardPage({ id }: { readonly id: string }) {
  const board = useAnswer<KeptDocumentOf<KeptLeaderboard>>(`documents/leaderboard/${encode(id)}`)
  const [behind, setBehind] = useState<CasesBehind | null>(null)
  return (
    <Answered query={board}>
      {({ content: { boards, overall }, title, created }) => (
        <>
          <div className="head">
            <div>
              <p className="small">
                <Link href="/audits">Audits and leaderboards</Link>
              </p>
              <h1>{title}</h1>
              <p>{moment(created)}</p>
            </div>
          </div>
          {overall && boards.length > 1 && <Overall overall={overall} />}
          {boards.map((one) => (
            <BoardCard key={one.name} board={one} onShow={setBehind} />
          ))}
          <p className="soft small">
            A place counts only those who are better beyond doubt: the 95% interval of the paired difference
            excludes 0.
          </p>
          <CasesDrawer behind={behind} onClose={() => setBehind(null)} />
        </>
      )}
    </Answered>
  )
}

function Overall({ overall }: { readonly overall: NonNullable<KeptLeaderboard['overall']> }) {
  const domain = [
    Math.min(...overall.map(({ low }) => low)),
    Math.max(...overall.map(({ high }) => high)),
  ] as const
  return (
    <section className="card stack">
      <h2>Over all benchmarks</h2>
      <div className="scroll">
        <table className="plain">
          <tbody>
            {overall.map(({ judge, rating, low, high }) => (
              <tr key={judge}>
                <td>
                  <b>{judge}</b>
                </td>
                <td className="n">{rating.toFixed(0)}</td>
                <td style={{ width: '50%' }}>
                  <Spread of={{ estimate: rating, low, high }} domain={domain} />
                </td>
                <td className="soft small nowrap">
                  [{low.toFixed(0)}, {high.toFixed(0)}]
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function BoardCard({
  board,
  onShow,
}: {
  readonly board: Board
  readonly onShow: (behind: CasesBehind) => void
}) {
  return (
    <section className="card stack">
      <div className="between">
        <h2>{board.title}</h2>
        <span className="soft small">
          {counted(board.items, 'item')}
          {board.chance !== null && `, chance ${figure(board.chance)}`}
        </span>
      </div>
      <div className="scroll">
        <table className="plain">
          <thead>
            <tr>
              <th>reward</th>
              <th className="n">place</th>
              <th className="n">score</th>
              <th style={{ width: '32%' }}>95% interval</th>
              <th className="n">length balanced</th>
              <th className="n">not judged</th>
            </tr>
          </thead>
          <tbody>
            {board.rows.map(({ judge, place, headline, length, likeIt, outcomes }) => (
              <tr key={judge}>
                <td>
                  <b style={{ overflowWrap: 'anywhere' }}>{judge}</b>
                  {likeIt.length > 0 && <div className="soft small">not told from {likeIt.join(', ')}</div>}
                </td>
                <td className="n">{place}</td>
                <td className="n">
                  <button
                    type="button"
                    className="link"
                    aria-label={`${figure(headline.score)}, cases behind ${judge}`}
                    onClick={() =>
                      onShow({ title: `${judge} on ${board.title}`, outcomes, cases: board.cases })
                    }
                  >
                    <b>{figure(headline.score)}</b>
                  </button>
                </td>
                <td>
                  <div className="row" style={{ flexWrap: 'nowrap' }}>
                    <Spread
                      of={headline.interval}
                      domain={[
                        Math.min(0, headline.interval?.low ?? 0),
                        Math.max(1, headline.interval?.high ?? 1),
                      ]}
                      chance={board.chance}
                    />
                    <span className="soft small nowrap">{interval(headline.interval, 2)}</span>
                  </div>
                </td>
                <td className="n">{figure(length?.balanced?.estimate)}</td>
                <td className="n">{figure(headline.unresolved)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {board.rows.length > 1 && <Differences board={board} onShow={onShow} />}
    </section>
  )
}

function Differences({
  board,
  onShow,
}: {
  readonly board: Board
  readonly onShow: (behind: CasesBehind) => void
}) {
  const names = board.rows.map(({ judge }) => judge)
  const cell = (row: string, column: string) => {
    if (row === column) return <td key={column} className="n soft" />
    const found = board.differences.find(
      ({ first, second }) => (first === row && second === column) || (first === column && second === row),
    )
    if (found?.difference == null)
      return (
        <td key={column} className="n soft">
          -
        </td>
      )
    const sign = found.first === row ? 1 : -1
    const [low, high] = [sign * found.difference.low, sign * found.difference.high].sort((a, b) => a - b) as [
      number,
      number,
    ]
    const value = sign * found.difference.estimate
    return (
      <td key={column} className={`n ${low > 0 ? 'good' : high < 0 ? 'bad' : 'soft'}`}>
        <button
          type="button"
          className="link"
          title={`${interval({ low, high }, 2)}; McNemar's p ${figure(found.mcnemar.mid)}`}
          aria-label={`${value > 0 ? '+' : ''}${figure(value, 2)}, items on which ${row} and ${column} differ`}
          onClick={() =>
            onShow({
              title: `Where ${row} and ${column} differ`,
              outcomes: differing(board, row, column),
              cases: board.cases,
            })
          }
        >
          {value > 0 ? '+' : ''}
          {figure(value, 2)}
        </button>
      </td>
    )
  }
  return (
    <>
      <h3>Paired differences of the score</h3>
      <div className="scroll">
        <table className="plain">
          <thead>
            <tr>
              <th>reward</th>
              {names.map((name) => (
                <th key={name} className="n">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((row) => (
              <tr key={row}>
                <td>
                  <b>{row}</b>
                </td>
                {names.map((column) => cell(row, column))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="soft small">
        Green and red are beyond doubt; intervals appear on hovering, items on clicking.
      </p>
    </>
  )
}

/** Items on which one is right and the other is not, as the outcomes of the first. */
function differing({ rows }: Board, first: string, second: string): KeptOutcome[] {
  const of = (name: string) => rows.find(({ judge }) => judge === name)?.outcomes ?? []
  const other = of(second)
  return of(first).filter(([, , outcome], index) => outcome !== other[index]?.[2])
}
