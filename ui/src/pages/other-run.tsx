import { encode, useAnswer } from '../api.ts'
import { figure } from '../format.ts'
import { Pictures } from '../parts/picture.tsx'
import { Value } from '../parts/scores.tsx'
import { Answered, Problem, Waiting } from '../parts/states.tsx'
import { spansOf, Turns } from '../parts/turns.tsx'
import type { RunDetail, SampleDetail, SamplesPage, ShownSample } from '../wire.ts'

/** One sample of two runs side by side: what was answered, and every reward's values, widest apart first. */
export function OtherRun({
  run,
  sample,
  other,
}: {
  readonly run: RunDetail
  readonly sample: ShownSample
  /** The id of the other run; its sample is the one with the same id. */
  readonly other: string
}) {
  const query = JSON.stringify({ filter: { ids: [sample.id] }, limit: 1 })
  const page = useAnswer<SamplesPage>(`runs/${encode(other)}/samples?query=${encode(query)}`)
  const position = page.data?.samples[0]?.position
  const detail = useAnswer<SampleDetail>(
    position === undefined ? null : `runs/${encode(other)}/samples/${position}`,
  )
  if (page.data !== undefined && position === undefined)
    return <p className="soft">The run {other} has no sample of this id.</p>
  if (page.error) return <Problem error={page.error} again={() => page.refetch()} />
  return (
    <Answered query={detail} waiting={<Waiting rows={1} height={140} />}>
      {(answer) => (
        <section className="stack" aria-label={`Beside ${other}`}>
          <div className="duel">
            <Side title={run.id} sample={sample} />
            <Side title={other} sample={answer.sample} />
          </div>
          <Values run={run} here={sample} there={answer.sample} />
        </section>
      )}
    </Answered>
  )
}

function Side({ title, sample }: { readonly title: string; readonly sample: ShownSample }) {
  return (
    <section className="card" aria-label={title}>
      <h3 style={{ overflowWrap: 'anywhere' }}>{title}</h3>
      <Pictures
        turns={[sample.prompt, sample.output]}
        boxes={sample.boxes}
        masks={sample.masks}
        renders={sample.renders}
      />
      <Turns turns={sample.output} spans={spansOf(sample, 'output')} />
    </section>
  )
}

function Values({
  run,
  here,
  there,
}: {
  readonly run: RunDetail
  readonly here: ShownSample
  readonly there: ShownSample
}) {
  const rows = run.rewards
    .filter(({ name }) => there.scores[name] !== undefined)
    .map(({ name }) => {
      const [first, second] = [here.scores[name]?.value ?? null, there.scores[name]?.value ?? null]
      return { name, difference: first === null || second === null ? null : first - second }
    })
    .sort((a, b) => Math.abs(b.difference ?? 0) - Math.abs(a.difference ?? 0))
  return (
    <div className="scroll">
      <table className="plain">
        <thead>
          <tr>
            <th>reward</th>
            <th className="n">{run.id}</th>
            <th className="n">{there.run}</th>
            <th className="n">difference</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, difference }) => (
            <tr key={name}>
              <td style={{ overflowWrap: 'anywhere' }}>{name}</td>
              <td className="n">
                <Value score={here.scores[name]} />
              </td>
              <td className="n">
                <Value score={there.scores[name]} />
              </td>
              <td className="n">
                <b>{difference !== null && difference > 0 ? `+${figure(difference)}` : figure(difference)}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
