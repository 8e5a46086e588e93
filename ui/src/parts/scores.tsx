import { Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import { bounds, counted, figure, shareOf } from '../format.ts'
import type { RewardHead, Score } from '../wire.ts'

type Bounds = RewardHead['range']

export function Bar({ share }: { readonly share: number | null }) {
  return (
    <span className="bar" aria-hidden="true">
      <i style={{ width: `${100 * (share ?? 0)}%` }} />
    </span>
  )
}

export function Value({
  score,
  digits = 3,
}: {
  readonly score: Score | undefined
  readonly digits?: number
}) {
  if (score === undefined) return <span className="unscored">not asked</span>
  if (score.value === null)
    return (
      <Tooltip label={score.reason} multiline maw={360}>
        <span className="unscored">{score.code}</span>
      </Tooltip>
    )
  return <span>{figure(score.value, digits)}</span>
}

/** One line for each reward: name, place in its range, value. */
export function ScoreLines({
  scores,
  rewards,
  most = 4,
}: {
  readonly scores: Readonly<Record<string, Score>>
  readonly rewards: readonly RewardHead[]
  readonly most?: number
}) {
  const shown = rewards.slice(0, most)
  return (
    <div className="scores">
      {shown.map(({ name, range }) => (
        <div className="scoreline" key={name}>
          <span className="ellipsis soft">{name}</span>
          {range.includes(null) ? <span /> : <Bar share={shareOf(scores[name]?.value, range)} />}
          <span className="number ellipsis">
            <Value score={scores[name]} />
          </span>
        </div>
      ))}
      {rewards.length > most && <span className="soft small">and {rewards.length - most} more</span>}
    </div>
  )
}

/** A score with everything it says: parts, rationale, uncertainty, cost. */
export function ScoreDetail({
  name,
  score,
  range,
  action,
}: {
  readonly name: string
  readonly score: Score | undefined
  readonly range: Bounds
  readonly action?: ReactNode
}) {
  const parts = Object.entries(score?.parts ?? {})
  return (
    <section className="stack" style={{ gap: 6 }}>
      <div className="between">
        <h3 style={{ overflowWrap: 'anywhere' }}>{name}</h3>
        <span className="soft small nowrap">
          {bounds(range)} {action}
        </span>
      </div>
      <div className="scoreline" style={{ gridTemplateColumns: 'minmax(60px, 1fr) max-content' }}>
        {range.includes(null) ? <span /> : <Bar share={shareOf(score?.value, range)} />}
        <b className="number" data-testid={`value ${name}`}>
          <Value score={score} />
          {score?.uncertainty !== undefined && <span className="soft"> ± {figure(score.uncertainty)}</span>}
        </b>
      </div>
      {score?.value === null && <p className="soft small">{score.reason}</p>}
      {parts.length > 0 && (
        <div className="parts">
          {parts.map(([part, value]) => (
            <PartLine key={part} name={part} value={value} />
          ))}
        </div>
      )}
      {score?.rationale && <p className="small">{score.rationale}</p>}
      {score?.usage && spent(score.usage) !== '' && <p className="soft small">{spent(score.usage)}</p>}
    </section>
  )
}

/** `2 calls, 310 tokens read, 12 written, $0.0004` */
function spent({ calls, inputTokens, outputTokens, costUsd }: NonNullable<Score['usage']>): string {
  return [
    ...(calls === undefined ? [] : [counted(calls, 'call')]),
    ...(inputTokens === undefined ? [] : [`${counted(inputTokens, 'token')} read`]),
    ...(outputTokens === undefined ? [] : [`${outputTokens.toLocaleString('en')} written`]),
    ...(costUsd === undefined ? [] : [`$${costUsd < 0.1 ? costUsd.toPrecision(2) : costUsd.toFixed(2)}`]),
  ].join(', ')
}

function PartLine({ name, value }: { readonly name: string; readonly value: number | null }) {
  const share = value !== null && value >= 0 && value <= 1 ? value : null
  return (
    <>
      <span className="soft ellipsis" title={name}>
        {name}
      </span>
      {share === null ? <span /> : <Bar share={share} />}
      <span className="number">
        {value === null ? <span className="unscored">unscored</span> : figure(value)}
      </span>
    </>
  )
}

/** An estimate with its interval on a common scale, and a line where chance is. */
export function Spread({
  of,
  domain: [low, high],
  chance,
}: {
  readonly of: { readonly estimate: number; readonly low: number; readonly high: number } | null
  readonly domain: readonly [number, number]
  readonly chance?: number | null | undefined
}) {
  const x = (value: number) => `${(100 * (Math.min(high, Math.max(low, value)) - low)) / (high - low || 1)}%`
  return (
    <svg className="spread" aria-hidden="true">
      <line x1="0" x2="100%" y1="9" y2="9" stroke="var(--bar)" strokeWidth="2" />
      {chance !== null && chance !== undefined && (
        <line x1={x(chance)} x2={x(chance)} y1="1" y2="17" stroke="var(--soft)" strokeDasharray="2 2" />
      )}
      {of !== null && (
        <>
          <line
            x1={x(of.low)}
            x2={x(of.high)}
            y1="9"
            y2="9"
            stroke="var(--fill)"
            strokeWidth="5"
            opacity="0.45"
          />
          <circle cx={x(of.estimate)} cy="9" r="4.5" fill="var(--accent)" />
        </>
      )}
    </svg>
  )
}
