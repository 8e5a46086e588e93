import { Button, Select } from '@mantine/core'
import { useState } from 'react'
import { type ApiProblem, answered, encode, useAnswer } from '../api.ts'
import { counted, figure, percent } from '../format.ts'
import { Icon } from '../parts/icon.tsx'
import { Spread } from '../parts/scores.tsx'
import { Answered, Empty, Problem } from '../parts/states.tsx'
import type { CriterionResults, VoteResults, VoteTaskDetail } from '../wire.ts'

/** What the votes come to, anew every two seconds while it is looked at. */
export function VoteResultsView({ task }: { readonly task: VoteTaskDetail }) {
  const results = useAnswer<VoteResults>(`votes/${encode(task.id)}/results`, { every: 2000, keep: true })
  const [layout, setLayout] = useState('trl-conversational')
  const [problem, setProblem] = useState<ApiProblem | null>(null)
  return (
    <Answered query={results}>
      {(answer) =>
        answer.votes === 0 ? (
          <Empty title="No votes yet">
            <p>Ratings, agreement and the rewards beside them appear here as votes come in.</p>
          </Empty>
        ) : (
          <>
            <div className="row end" style={{ justifyContent: 'space-between' }}>
              <p className="soft">
                {counted(answer.votes, 'vote')} by {counted(answer.voters.length, 'voter')}
                {answer.voters.some(({ leftOut }) => leftOut) &&
                  ' · who failed the attention checks is left out'}
              </p>
              <div className="row end">
                <Select
                  label="Pairs as"
                  size="xs"
                  data={layouts}
                  value={layout}
                  onChange={(value) => value && setLayout(value)}
                  allowDeselect={false}
                  w={170}
                />
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<Icon name="down" size={15} />}
                  onClick={() => void exportPairs(task.id, layout).then(setProblem)}
                >
                  Export pairs
                </Button>
              </div>
            </div>
            {problem && <Problem error={problem} />}
            {answer.criteria.map((criterion) => (
              <Criterion
                key={criterion.criterion}
                results={criterion}
                title={
                  task.criteria.find(({ id }) => id === criterion.criterion)?.text ?? criterion.criterion
                }
              />
            ))}
            <Voters voters={answer.voters} />
          </>
        )
      }
    </Answered>
  )
}

/** As trainers read pairs; not every one holds pictures, and the server says so. */
const layouts = [
  'trl',
  'trl-conversational',
  'openrlhf',
  'llama-factory',
  'ms-swift',
  'hh-rlhf',
  'kto',
  'rlaif-v',
]

/** Downloads the pairs; what the layout cannot hold comes back as a problem. */
async function exportPairs(task: string, layout: string): Promise<ApiProblem | null> {
  try {
    const response = await answered(`votes/${encode(task)}/export?as=${layout}`)
    const link = document.createElement('a')
    link.href = URL.createObjectURL(await response.blob())
    link.download = `pairs-${layout}.jsonl`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
    return null
  } catch (error) {
    return error as ApiProblem
  }
}

function Criterion({ results, title }: { readonly results: CriterionResults; readonly title: string }) {
  const { decided, ties, alpha, pairsWithTwo, ratings, rewards } = results
  const lows = ratings.map(({ low }) => low)
  const highs = ratings.map(({ high }) => high)
  const domain = [Math.min(...lows, 900), Math.max(...highs, 1100)] as const
  return (
    <section className="card stack">
      <div className="between">
        <h2>{title}</h2>
        <span className="soft small">
          {counted(decided, 'decision')}, {counted(ties, 'tie')}
        </span>
      </div>
      <p className="soft">
        Agreement between voters:{' '}
        {alpha === null ? (
          'nothing was voted on twice yet'
        ) : (
          <>
            <b>{figure(alpha, 2)}</b> (Krippendorff's alpha over {counted(pairsWithTwo, 'pair')}; 1 is
            perfect, 0 is chance)
          </>
        )}
      </p>
      {ratings.length > 0 && (
        <div className="scroll">
          <table className="plain">
            <thead>
              <tr>
                <th>rated</th>
                <th className="n">place</th>
                <th className="n">rating</th>
                <th style={{ width: '40%' }}>95% interval</th>
                <th className="n">votes</th>
              </tr>
            </thead>
            <tbody>
              {ratings.slice(0, 40).map((rating) => (
                <tr key={rating.name}>
                  <td style={{ overflowWrap: 'anywhere' }}>{rating.name}</td>
                  <td className="n">{rating.place}</td>
                  <td className="n">
                    <b>{rating.rating.toFixed(0)}</b>
                  </td>
                  <td title={`${rating.low.toFixed(0)} to ${rating.high.toFixed(0)}`}>
                    <Spread
                      of={{ estimate: rating.rating, low: rating.low, high: rating.high }}
                      domain={domain}
                    />
                  </td>
                  <td className="n">{figure(rating.votes, 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {ratings.length > 40 && <p className="soft small">and {ratings.length - 40} more</p>}
        </div>
      )}
      {rewards.length > 0 && (
        <>
          <h3>How often each reward agrees with the majority</h3>
          <div className="scroll">
            <table className="plain">
              <tbody>
                {rewards.map(({ reward, agree, low, high, pairs }) => (
                  <tr key={reward}>
                    <td>{reward}</td>
                    <td className="n">
                      <b>{percent(agree)}</b>
                    </td>
                    <td style={{ width: '40%' }} title={`${percent(low)} to ${percent(high)}`}>
                      <Spread of={{ estimate: agree, low, high }} domain={[0, 1]} chance={0.5} />
                    </td>
                    <td className="n soft small">{counted(pairs, 'pair')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  )
}

function Voters({ voters }: { readonly voters: VoteResults['voters'] }) {
  return (
    <section className="card stack">
      <h2>Voters</h2>
      <div className="scroll">
        <table className="plain">
          <thead>
            <tr>
              <th>voter</th>
              <th className="n">votes</th>
              <th className="n">skipped</th>
              <th className="n">attention checks passed</th>
              <th className="n">took the left</th>
            </tr>
          </thead>
          <tbody>
            {voters.map((voter) => (
              <tr key={voter.voter}>
                <td>
                  {voter.voter} {voter.leftOut && <span className="tag bad">left out</span>}
                </td>
                <td className="n">{voter.votes}</td>
                <td className="n">{voter.skipped}</td>
                <td className="n">{voter.checks === 0 ? '-' : `${voter.checksPassed} of ${voter.checks}`}</td>
                <td className="n">{percent(voter.leftShare)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
