import { encode, useAnswer } from '../api.ts'
import { figure, interval } from '../format.ts'
import { Answered, Waiting } from '../parts/states.tsx'
import type { RunDetail, RunDifference, SampleFilter } from '../wire.ts'

/** How this run's values differ from another's, reward by reward, over the samples that the filter leaves. */
export function RunDifferences({
  run,
  other,
  filter,
  current,
  onChoose,
}: {
  readonly run: RunDetail
  readonly other: string
  readonly filter: SampleFilter
  /** The reward by which the samples are ordered. */
  readonly current: string
  readonly onChoose: (reward: string) => void
}) {
  const query = encode(JSON.stringify({ filter }))
  const differences = useAnswer<RunDifference[]>(
    `runs/${encode(run.id)}/against/${encode(other)}?query=${query}`,
    { keep: true },
  )
  return (
    <Answered query={differences} waiting={<Waiting rows={1} height={90} />}>
      {(rows) => (
        <section className="card scroll" aria-label={`Against ${other}`}>
          <table className="plain">
            <thead>
              <tr>
                <th>samples of both, by reward</th>
                <th className="n">{run.id}</th>
                <th className="n">{other}</th>
                <th className="n">difference</th>
                <th>95% interval</th>
                <th className="n">higher</th>
                <th className="n">equal</th>
                <th className="n">lower</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ reward, pairs, here, there, difference, higher, lower }) => (
                <tr key={reward}>
                  <td>
                    <button
                      type="button"
                      className="plain-button"
                      aria-pressed={reward === current}
                      onClick={() => onChoose(reward)}
                    >
                      {reward}
                    </button>
                  </td>
                  <td className="n">{figure(here)}</td>
                  <td className="n">{figure(there)}</td>
                  <td className="n">
                    <b>
                      {difference !== null && difference.mean > 0 ? '+' : ''}
                      {figure(difference?.mean)}
                    </b>
                  </td>
                  <td className="nowrap soft">{interval(difference)}</td>
                  <td className="n">{higher.toLocaleString('en')}</td>
                  <td className="n">{(pairs - higher - lower).toLocaleString('en')}</td>
                  <td className="n">{lower.toLocaleString('en')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Answered>
  )
}
