import { MultiSelect, Select, Slider } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Link } from 'wouter'
import { encode, useAnswer } from '../api.ts'
import { counted, figure, interval, moment } from '../format.ts'
import { Chart, palette } from '../parts/chart.tsx'
import { Said } from '../parts/said.tsx'
import { Spread } from '../parts/scores.tsx'
import { Answered, Empty } from '../parts/states.tsx'
import { type ExampleRecord, type LogRecord, useTrainingLogs } from '../parts/training-logs.ts'
import type { DocumentHead, KeptDocumentOf, Measured } from '../wire.ts'

/** Of a reproduction, which has a result, or of a training. */
interface TrainingContent {
  readonly claim?: string
  readonly status?: 'running' | 'complete' | 'stopped'
  readonly measured?: readonly Measured[]
  readonly notes?: readonly string[]
  readonly arms?: Readonly<Record<string, string>>
  readonly result?: {
    readonly verdict: string | null
    readonly criteria: readonly {
      readonly name: string
      readonly kind: string
      readonly holds: boolean
      readonly measured: string
    }[]
    readonly seeds: number
    readonly seconds: number
    readonly arms: readonly {
      readonly arm: string
      readonly description: string
      readonly samples: number
      readonly metrics: Readonly<
        Record<string, { readonly mean: number; readonly low: number | null; readonly high: number | null }>
      >
    }[]
    readonly runs: readonly {
      readonly arm: string
      readonly seed: number
      readonly curves?: Readonly<Record<string, readonly (number | null)[]>>
      readonly examples?: readonly {
        readonly prompt: string
        readonly output: string
        readonly note?: string
        readonly iteration?: number
      }[]
    }[]
    readonly failures: readonly { readonly run: string; readonly reason: string }[]
  }
}

/** Trainings beside one: browsers keep few connections to one server. */
const mostBeside = 4

/** One training: curves as they grow, arms side by side, outputs over time, and the verdict when there is one. */
export default function TrainingPage({ kind, id }: { readonly kind: string; readonly id: string }) {
  const training = useAnswer<KeptDocumentOf<TrainingContent>>(`trainings/${encode(kind)}/${encode(id)}`, {
    every: 4000,
  })
  return (
    <Answered query={training}>
      {({ title, content, created }) => (
        <Inside kind={kind} id={id} title={title} content={content} created={created} />
      )}
    </Answered>
  )
}

function Inside({
  kind,
  id,
  title,
  content,
  created,
}: {
  readonly kind: string
  readonly id: string
  readonly title: string
  readonly content: TrainingContent
  readonly created: string
}) {
  const { result, claim, arms: described, measured = [], notes = [] } = content
  const all = useAnswer<DocumentHead[]>('trainings')
  const others = (all.data ?? []).filter((other) => other.kind !== kind || other.id !== id)
  const [beside, setBeside] = useState<readonly string[]>([])
  const shownBeside = others.filter((other) => beside.includes(keyOf(other)))
  const logs = useTrainingLogs([
    { kind, id, armOf: (folder) => describedArm(folder, described) || title },
    ...shownBeside.map((other) => ({
      kind: other.kind,
      id: other.id,
      armOf: (folder: string) => (folder === '' ? other.title : `${other.title}: ${folder}`),
    })),
  ])
  // A finished reproduction carries its curves; while it runs they are in the logs.
  const records = useMemo(
    () => (logs.records.length > 0 ? logs.records : finished(result)),
    [logs.records, result],
  )
  const examples = useMemo(
    () => (logs.examples.length > 0 ? logs.examples : finishedExamples(result)),
    [logs.examples, result],
  )
  const arms = useMemo(
    () => [
      ...new Set([
        ...Object.keys(described ?? {}).filter((arm) => records.some((record) => record.arm === arm)),
        ...records.map(({ arm }) => arm),
      ]),
    ],
    [described, records],
  )
  const verdict = result?.verdict
  return (
    <>
      <div className="head">
        <div>
          <p className="small">
            <Link href="/training">Training and reproductions</Link>
          </p>
          <h1>{title}</h1>
          {claim && <p>{claim}</p>}
        </div>
        <div className="row">
          {verdict && <span className={`tag ${verdict === 'reproduced' ? 'good' : 'bad'}`}>{verdict}</span>}
          <span
            className={`tag ${(content.status ?? 'running') === 'running' && logs.state === 'live' ? 'accent' : ''}`}
            role="status"
          >
            {content.status === 'complete' || content.status === 'stopped'
              ? `${content.status === 'complete' ? 'finished' : 'stopped'} · ${moment(created)}`
              : logs.state === 'live'
                ? 'live'
                : logs.state === 'lost'
                  ? 'connection lost, trying again'
                  : 'connecting'}
          </span>
        </div>
      </div>
      {others.length > 0 && (
        <MultiSelect
          label="Beside"
          placeholder={beside.length === 0 ? 'other trainings' : ''}
          data={others.map((other) => ({ value: keyOf(other), label: other.title }))}
          value={[...beside]}
          onChange={setBeside}
          searchable
          hidePickedOptions
          maxValues={mostBeside}
          style={{ maxWidth: 560 }}
        />
      )}
      {result && result.criteria.length > 0 && <Criteria criteria={result.criteria} />}
      {records.length === 0 ? (
        <Empty title="No steps yet">
          <p>The first curves appear as soon as an arm has written its first iteration.</p>
        </Empty>
      ) : (
        <Curves records={records} arms={arms} {...(described === undefined ? {} : { described })} />
      )}
      {(measured.length > 0 || notes.length > 0) && <MeasuredTable measured={measured} notes={notes} />}
      {result && result.arms.length > 0 && <Arms result={result} />}
      {examples.length > 0 && <Examples examples={examples} arms={arms} />}
      {result?.failures.map(({ run, reason }) => (
        <p key={run} className="bad">
          {run} failed: {reason}
        </p>
      ))}
    </>
  )
}

function MeasuredTable({
  measured,
  notes,
}: {
  readonly measured: readonly Measured[]
  readonly notes: readonly string[]
}) {
  return (
    <section className="card stack">
      <h2>What it came to</h2>
      <div className="scroll">
        <table className="plain">
          <thead>
            <tr>
              <th>measured</th>
              <th className="n">value</th>
              <th>95% interval</th>
              <th className="n">n</th>
            </tr>
          </thead>
          <tbody>
            {measured.map(({ name, value, low, high, n }) => (
              <tr key={name}>
                <td>{name}</td>
                <td className="n">{figure(value)}</td>
                <td>{low === undefined || high === undefined ? '' : interval({ low, high })}</td>
                <td className="n">{n === undefined ? '' : n.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {notes.map((note) => (
        <p className="soft small" key={note}>
          {note}
        </p>
      ))}
    </section>
  )
}

function Criteria({ criteria }: { readonly criteria: NonNullable<TrainingContent['result']>['criteria'] }) {
  return (
    <section className="card stack">
      <h2>What decides</h2>
      <div className="scroll">
        <table className="plain">
          <thead>
            <tr>
              <th>holds</th>
              <th>kind</th>
              <th>criterion</th>
              <th>measured</th>
            </tr>
          </thead>
          <tbody>
            {criteria.map(({ name, kind, holds, measured }) => (
              <tr key={name}>
                <td>
                  <span className={`tag ${holds ? 'good' : 'bad'}`}>{holds ? 'yes' : 'no'}</span>
                </td>
                <td className="soft">{kind}</td>
                <td>{name}</td>
                <td>{measured}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

const firstShown = ['reward', 'oracle', 'kl', 'KL to the start', 'length', 'loss', 'accuracy']

function Curves({
  records,
  arms,
  described = {},
}: {
  readonly records: readonly LogRecord[]
  readonly arms: readonly string[]
  readonly described?: Readonly<Record<string, string>>
}) {
  const names = useMemo(() => [...new Set(records.flatMap(({ values }) => Object.keys(values)))], [records])
  const [chosen, setChosen] = useState<string[] | null>(null)
  const shown =
    chosen ??
    [
      ...names.filter((name) => firstShown.includes(name)),
      ...names.filter((name) => /^(?:held-out|evaluation)/.test(name)),
      ...names.filter((name) => !firstShown.includes(name)),
    ].slice(0, 4)
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const visible = useMemo(() => records.filter(({ arm }) => !hidden.has(arm)), [records, hidden])
  const last = records.reduce((most, { step }) => Math.max(most, step), 0)
  return (
    <section className="card stack">
      <div className="between" style={{ flexWrap: 'wrap' }}>
        <h2>Along the way</h2>
        <span className="soft small" data-testid="steps">
          up to iteration {last.toLocaleString('en')}, {counted(records.length, 'record')}
        </span>
      </div>
      <fieldset className="toggles" aria-label="Arms">
        {arms.map((arm, index) => (
          <button
            type="button"
            className="toggle"
            key={arm}
            title={described[arm] ?? ''}
            aria-pressed={!hidden.has(arm)}
            onClick={() =>
              setHidden(
                new Set(hidden.has(arm) ? [...hidden].filter((one) => one !== arm) : [...hidden, arm]),
              )
            }
          >
            <i style={{ background: palette[index % palette.length] }} />
            {arm}
          </button>
        ))}
      </fieldset>
      <MultiSelect
        aria-label="Curves"
        data={names}
        value={[...shown]}
        onChange={setChosen}
        searchable
        hidePickedOptions
        maxDropdownHeight={300}
      />
      <div className="curves">
        {shown.map((name) => (
          <figure key={name} style={{ margin: 0, minWidth: 0 }}>
            <figcaption>
              <b style={{ color: 'var(--ink)' }}>{name}</b>
            </figcaption>
            <Curve name={name} records={visible} arms={arms} />
          </figure>
        ))}
      </div>
      <p className="soft small">Thin lines are seeds, bold ones their mean.</p>
    </section>
  )
}

/** Points of one line at most; more are thinned evenly. */
const mostPoints = 400

function Curve({
  name,
  records,
  arms,
}: {
  readonly name: string
  readonly records: readonly LogRecord[]
  readonly arms: readonly string[]
}) {
  const spec = useMemo(() => {
    const lines = Map.groupBy(
      records.filter(({ values }) => values[name] !== undefined),
      ({ arm, seed }) => `${arm}\n${seed}`,
    )
    const values = [...lines.values()].flatMap((line) => {
      const every = Math.ceil(line.length / mostPoints)
      return line
        .filter((_, index) => index % every === 0 || index === line.length - 1)
        .map(({ arm, seed, step, values }) => ({ arm, seed, step, value: values[name] }))
    })
    const seeds = new Set(values.map(({ seed }) => seed)).size
    const x = { field: 'step', type: 'quantitative', title: 'iteration', axis: { tickMinStep: 1 } }
    const y = { field: 'value', type: 'quantitative', title: null, scale: { zero: false } }
    const color = {
      field: 'arm',
      type: 'nominal',
      scale: { domain: arms, range: arms.map((_, index) => palette[index % palette.length]) },
      legend: null,
    }
    return {
      data: { values },
      layer: [
        ...(seeds > 1
          ? [
              {
                mark: { type: 'line', opacity: 0.28, strokeWidth: 1 },
                encoding: { x, y, color, detail: { field: 'seed' } },
              },
            ]
          : []),
        {
          mark: { type: 'line', strokeWidth: 2 },
          encoding: { x, y: { ...y, aggregate: 'mean' }, color },
        },
      ],
    }
  }, [name, records, arms])
  return <Chart spec={spec as never} height={190} label={`${name} by iteration, ${arms.join(', ')}`} />
}

function Arms({ result }: { readonly result: NonNullable<TrainingContent['result']> }) {
  const metrics = [...new Set(result.arms.flatMap(({ metrics }) => Object.keys(metrics)))]
  const [metric, setMetric] = useState(metrics[0] ?? '')
  const values = result.arms.flatMap(({ metrics }) => {
    const found = metrics[metric]
    return found === undefined ? [] : [found.low ?? found.mean, found.high ?? found.mean]
  })
  const domain = [Math.min(...values), Math.max(...values)] as const
  return (
    <section className="card stack">
      <div className="between" style={{ flexWrap: 'wrap' }}>
        <h2>Arms</h2>
        <Select
          aria-label="Metric"
          data={metrics}
          value={metric}
          onChange={(value) => value && setMetric(value)}
          allowDeselect={false}
          size="xs"
        />
      </div>
      <div className="scroll">
        <table className="plain">
          <tbody>
            {result.arms.map(({ arm, description, metrics, samples }) => {
              const found = metrics[metric]
              const bounds =
                found?.low == null || found.high == null ? null : { low: found.low, high: found.high }
              return (
                <tr key={arm}>
                  <td>
                    <b>{arm}</b>
                    <div className="soft small">{description}</div>
                  </td>
                  <td className="n nowrap">
                    {figure(found?.mean)} <span className="soft small">{interval(bounds)}</span>
                  </td>
                  <td style={{ width: '34%' }}>
                    {found && (
                      <Spread
                        of={{
                          estimate: found.mean,
                          low: bounds?.low ?? found.mean,
                          high: bounds?.high ?? found.mean,
                        }}
                        domain={domain}
                      />
                    )}
                  </td>
                  <td className="n soft small">{counted(samples, 'sample')}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
      <p className="soft small">
        {counted(result.seeds, 'seed')}, {figure(result.seconds / 60, 1)} minutes of one core. Brackets are
        95% intervals over seeds.
      </p>
    </section>
  )
}

function Examples({
  examples,
  arms,
}: {
  readonly examples: readonly ExampleRecord[]
  readonly arms: readonly string[]
}) {
  const times = [...new Set(examples.map(({ iteration }) => iteration ?? Number.POSITIVE_INFINITY))].sort(
    (a, b) => a - b,
  )
  const [place, setPlace] = useState<number | null>(null)
  const at = Math.min(place ?? times.length - 1, times.length - 1)
  const time = times[at]!
  const named = (value: number) => (Number.isFinite(value) ? `iteration ${value}` : 'in the end')
  return (
    <section className="card stack">
      <div className="between">
        <h2>Outputs over time</h2>
        <span className="soft small">{named(time)}</span>
      </div>
      {times.length > 1 && (
        <Slider
          min={0}
          max={times.length - 1}
          value={at}
          onChange={setPlace}
          label={(value) => named(times[value]!)}
          thumbLabel="iteration"
          thumbProps={{ 'aria-valuetext': named(time) } as never}
        />
      )}
      <div className="cards">
        {arms.map((arm) => {
          const [shown] = examples.filter(
            (one) => one.arm === arm && (one.iteration ?? Number.POSITIVE_INFINITY) === time,
          )
          return (
            shown && (
              <div key={arm} className="stack" style={{ gap: 4, minWidth: 0 }}>
                <div className="between small">
                  <b>{arm}</b>
                  <span className="soft">{shown.note}</span>
                </div>
                <Said most={110}>{shown.prompt}</Said>
                <Said most={220}>{shown.output}</Said>
              </div>
            )
          )
        })}
      </div>
    </section>
  )
}

function keyOf({ kind, id }: Pick<DocumentHead, 'kind' | 'id'>): string {
  return `${kind} ${id}`
}

/** Logs lie in folders named after their arms, in letters that a folder may have, some with a tuned value at the end. */
function describedArm(folder: string, described: Readonly<Record<string, string>> = {}): string {
  const names = Object.keys(described)
  const named = (text: string) => names.find((arm) => arm.replaceAll(/[^\w.=-]+/g, '-') === text)
  return named(folder) ?? named(folder.replace(/@[^@]*$/, '')) ?? folder
}

function finished(result: TrainingContent['result']): LogRecord[] {
  return (result?.runs ?? []).flatMap(({ arm, seed, curves = {} }) => {
    const length = Math.max(0, ...Object.values(curves).map((values) => values.length))
    return Array.from({ length }, (_, step) => ({
      arm,
      seed,
      step,
      values: Object.fromEntries(
        Object.entries(curves).flatMap(([name, values]) => {
          const value = values[step]
          return value === null || value === undefined ? [] : [[name, value]]
        }),
      ),
    }))
  })
}

function finishedExamples(result: TrainingContent['result']): ExampleRecord[] {
  return (result?.runs ?? []).flatMap(({ arm, seed, examples = [] }) =>
    examples.map(({ prompt, output, note = '', iteration }) => ({
      arm,
      seed,
      prompt,
      output,
      note,
      iteration: iteration ?? null,
    })),
  )
}
