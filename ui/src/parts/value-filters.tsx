import { Checkbox, RangeSlider } from '@mantine/core'
import { useEffect, useState } from 'react'
import { encode, useAnswer } from '../api.ts'
import { figure } from '../format.ts'
import type { Histogram, RunDetail, SampleFilter } from '../wire.ts'

/** How each reward is spread over the run, and a range of it to keep to; what could not be judged, by why. */
export function ValueFilters({
  run,
  filter,
  onChange,
  isShown,
}: {
  readonly run: RunDetail
  readonly filter: SampleFilter
  readonly onChange: (filter: SampleFilter) => void
  readonly isShown: boolean
}) {
  return (
    <aside className={`filters ${isShown ? 'shown' : ''}`} aria-label="Values">
      {run.rewards.map(({ name }) => (
        <RewardFilter key={name} run={run} name={name} filter={filter} onChange={onChange} />
      ))}
    </aside>
  )
}

function RewardFilter({
  run,
  name,
  filter,
  onChange,
}: {
  readonly run: RunDetail
  readonly name: string
  readonly filter: SampleFilter
  readonly onChange: (filter: SampleFilter) => void
}) {
  const [part, setPart] = useState<string | null>(null)
  const totals = run.totals[name]!
  const parts = run.parts[name] ?? []
  const found = useAnswer<Histogram>(
    `runs/${encode(run.id)}/histogram?reward=${encode(name)}${part === null ? '' : `&part=${encode(part)}`}`,
    { keep: true },
  )
  const own = filter.values?.find(({ reward }) => reward === name)
  const low = totals.minimum
  const high = totals.maximum
  const keep = (range: readonly [number, number] | null) => {
    const others = filter.values?.filter(({ reward }) => reward !== name) ?? []
    onChange({
      ...filter,
      values: range === null ? others : [...others, { reward: name, low: range[0], high: range[1] }],
    })
  }
  return (
    <section className="stack" style={{ gap: 6 }}>
      <div className="between">
        <h2 style={{ fontSize: '0.93rem' }} className="ellipsis">
          {name}
        </h2>
        <span className="soft small nowrap">mean {figure(totals.mean)}</span>
      </div>
      {found.data && <Bars histogram={found.data} range={part === null && own ? own : null} />}
      {low !== null && high !== null && high > low && (
        <ValueRange
          name={name}
          low={low}
          high={high}
          value={[own?.low ?? low, own?.high ?? high]}
          onChange={(range) => keep(range[0] <= low && range[1] >= high ? null : range)}
        />
      )}
      {parts.length > 0 && (
        <label className="small soft row" style={{ gap: 6, flexWrap: 'nowrap' }}>
          spread of
          <select
            value={part ?? ''}
            onChange={({ currentTarget: { value } }) => setPart(value === '' ? null : value)}
            className="inline"
          >
            <option value="">the reward</option>
            {parts.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      )}
      {Object.entries(totals.unscoredBy).map(([code, count]) => {
        const isOn = filter.unscored?.reward === name && filter.unscored.code === code
        return (
          <Checkbox
            key={code}
            size="xs"
            label={`only ${code} (${(count ?? 0).toLocaleString('en')})`}
            checked={isOn}
            onChange={() => {
              const { unscored: _, ...rest } = filter
              onChange(isOn ? rest : { ...rest, unscored: { reward: name, code: code as never } })
            }}
          />
        )
      })}
    </section>
  )
}

function Bars({
  histogram: { low, high, counts },
  range,
}: {
  readonly histogram: Histogram
  readonly range: { readonly low?: number; readonly high?: number } | null
}) {
  if (low === null || high === null) return <p className="soft small">nothing was judged</p>
  const most = Math.max(...counts)
  const width = (high - low) / counts.length
  return (
    <div
      className="histogram"
      role="img"
      aria-label={`from ${figure(low)} to ${figure(high)}, most in one bin: ${most.toLocaleString('en')}`}
    >
      {counts.map((count, bin) => {
        const [from, to] = [low + bin * width, low + (bin + 1) * width]
        const isOut = range !== null && (to < (range.low ?? low) || from > (range.high ?? high))
        return (
          <i
            // biome-ignore lint/suspicious/noArrayIndexKey: bins stand in their order
            key={bin}
            className={isOut ? 'out' : ''}
            title={`${figure(from)} to ${figure(to)}: ${count.toLocaleString('en')}`}
            style={{ height: count === 0 ? 0 : `max(2px, ${(100 * Math.sqrt(count)) / Math.sqrt(most)}%)` }}
          />
        )
      })}
    </div>
  )
}

function ValueRange({
  name,
  low,
  high,
  value,
  onChange,
}: {
  readonly name: string
  readonly low: number
  readonly high: number
  readonly value: readonly [number, number]
  readonly onChange: (range: [number, number]) => void
}) {
  const [shown, setShown] = useState<[number, number]>([...value])
  const [from, to] = value
  useEffect(() => setShown([from, to]), [from, to])
  return (
    <div>
      <RangeSlider
        min={low}
        max={high}
        step={(high - low) / 100}
        minRange={0}
        size={3}
        thumbSize={14}
        label={null}
        value={shown}
        onChange={setShown}
        onChangeEnd={onChange}
        thumbFromLabel={`${name} at least`}
        thumbToLabel={`${name} at most`}
      />
      <div className="between small soft number">
        <span>{figure(shown[0])}</span>
        <span>{figure(shown[1])}</span>
      </div>
    </div>
  )
}
