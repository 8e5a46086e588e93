import { ActionIcon, Modal, Tooltip } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { Link } from 'wouter'
import { encode, useAnswer } from '../api.ts'
import { figure, shareOf } from '../format.ts'
import { Icon } from '../parts/icon.tsx'
import { Pictures } from '../parts/picture.tsx'
import { Bar, ScoreDetail } from '../parts/scores.tsx'
import { useShortcuts } from '../parts/shortcuts.tsx'
import { Answered } from '../parts/states.tsx'
import { Code, spansOf, Turns } from '../parts/turns.tsx'
import type { RunDetail, SampleDetail } from '../wire.ts'
import { OtherRun } from './other-run.tsx'

/** One sample with everything that is known of it, over the grid; arrows go through the grid's order. */
export function SampleDialog({
  run,
  position,
  other,
  place,
  onClose,
  onOpen,
  onStep,
}: {
  readonly run: RunDetail
  readonly position: number
  /** A run to be seen beside this one. */
  readonly other: string | undefined
  readonly place?: number
  readonly onClose: () => void
  readonly onOpen: (position: number) => void
  readonly onStep?: (by: number) => void
}) {
  const isPhone = useMediaQuery('(max-width: 720px)') ?? false
  const detail = useAnswer<SampleDetail>(`runs/${encode(run.id)}/samples/${position}`, { keep: true })
  const step = (by: number) => onStep?.(by)
  useShortcuts('One sample', [
    { keys: 'j', does: 'Next sample', run: () => step(1) },
    { keys: 'k', does: 'Sample before', run: () => step(-1) },
    { keys: 'ArrowRight', does: 'Next sample', run: () => step(1) },
    { keys: 'ArrowLeft', does: 'Sample before', run: () => step(-1) },
  ])
  return (
    <Modal
      opened
      onClose={onClose}
      size="min(1280px, 96vw)"
      fullScreen={isPhone}
      closeButtonProps={{ 'aria-label': 'Close' }}
      title={
        <span className="row" style={{ gap: 6 }}>
          {onStep && (
            <>
              <Step label="Sample before (k)" icon="left" onClick={() => step(-1)} />
              <Step label="Next sample (j)" icon="right" onClick={() => step(1)} />
            </>
          )}
          <b style={{ overflowWrap: 'anywhere' }}>{detail.data?.sample.id ?? ''}</b>
          {place !== undefined && (
            <span className="soft small">{place.toLocaleString('en')} in this order</span>
          )}
        </span>
      }
    >
      <Answered query={detail}>
        {(answer) => <Inside run={run} detail={answer} other={other} onOpen={onOpen} />}
      </Answered>
    </Modal>
  )
}

function Step(props: {
  readonly label: string
  readonly icon: 'left' | 'right'
  readonly onClick: () => void
}) {
  return (
    <Tooltip label={props.label}>
      <ActionIcon variant="default" size="md" onClick={props.onClick} aria-label={props.label}>
        <Icon name={props.icon} size={15} />
      </ActionIcon>
    </Tooltip>
  )
}

function Inside({
  run,
  detail: { sample, group },
  other,
  onOpen,
}: {
  readonly run: RunDetail
  readonly detail: SampleDetail
  readonly other: string | undefined
  readonly onOpen: (position: number) => void
}) {
  const steps = Object.entries(sample.scores).flatMap(([reward, score]) =>
    (score.evidence ?? []).flatMap((item) => (item.kind === 'step' ? [{ reward, ...item }] : [])),
  )
  const meta = Object.entries(sample.meta)
  return (
    <div className="detail">
      {other !== undefined && (
        <div style={{ gridColumn: '1 / -1' }}>
          <OtherRun run={run} sample={sample} other={other} />
        </div>
      )}
      <div>
        {other === undefined && (
          <>
            <div>
              <Link href={`/playground/${encode(run.id)}/${sample.position}`} className="small">
                Change it in the playground
              </Link>
            </div>
            <Pictures
              turns={[sample.prompt, sample.output]}
              boxes={sample.boxes}
              masks={sample.masks}
              renders={sample.renders}
              full
            />
            <section className="stack" style={{ gap: 6 }}>
              <h3>Output</h3>
              <Turns turns={sample.output} spans={spansOf(sample, 'output')} />
            </section>
          </>
        )}
        {steps.length > 0 && (
          <section className="stack" style={{ gap: 6 }}>
            <h3>Steps</h3>
            <div className="row" style={{ gap: 6 }}>
              {steps.map(({ reward, index, label, good }) => (
                <span
                  key={`${reward} ${index}`}
                  className={`tag ${good === undefined ? '' : good ? 'good' : 'bad'}`}
                  title={reward}
                >
                  {index + 1}
                  {label ? `: ${label}` : ''}
                </span>
              ))}
            </div>
          </section>
        )}
        <section className="stack" style={{ gap: 6 }}>
          <h3>Prompt</h3>
          <Turns turns={sample.prompt} spans={spansOf(sample, 'prompt')} />
        </section>
        {sample.reference !== undefined && (
          <section className="stack" style={{ gap: 6 }}>
            <h3>Reference</h3>
            <Code json={sample.reference} />
          </section>
        )}
      </div>
      <div>
        {run.rewards.map(({ name, range }) => (
          <ScoreDetail key={name} name={name} range={range} score={sample.scores[name]} />
        ))}
        {group.length > 1 && (
          <section className="stack" style={{ gap: 6 }}>
            <h3>Answers to the same prompt</h3>
            <Candidates run={run} group={group} current={sample.position} onOpen={onOpen} />
          </section>
        )}
        {meta.length > 0 && (
          <section className="stack" style={{ gap: 6 }}>
            <h3>What the row says</h3>
            <table className="plain small">
              <tbody>
                {meta.map(([field, value]) => (
                  <tr key={field}>
                    <td className="soft">{field}</td>
                    <td style={{ overflowWrap: 'anywhere' }}>
                      {typeof value === 'string' ? value : JSON.stringify(value)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </div>
    </div>
  )
}

function Candidates({
  run,
  group,
  current,
  onOpen,
}: {
  readonly run: RunDetail
  readonly group: SampleDetail['group']
  readonly current: number
  readonly onOpen: (position: number) => void
}) {
  const rewards = run.rewards.slice(0, 3)
  const [first] = rewards
  const columns = `minmax(0, 1.6fr) repeat(${rewards.length}, minmax(58px, 1fr))`
  const sorted = [...group].sort(
    (a, b) => (b.values[first?.name ?? ''] ?? -Infinity) - (a.values[first?.name ?? ''] ?? -Infinity),
  )
  return (
    <div className="candidates">
      <div
        className="small soft"
        style={{ display: 'grid', gridTemplateColumns: columns, gap: 10, padding: '0 9px' }}
      >
        <span />
        {rewards.map(({ name }) => (
          <span key={name} className="ellipsis number">
            {name}
          </span>
        ))}
      </div>
      {sorted.map(({ position, id, kind, values }) => (
        <button
          type="button"
          key={position}
          style={{ gridTemplateColumns: columns }}
          aria-current={position === current || undefined}
          onClick={() => onOpen(position)}
        >
          <span className="ellipsis">{kind ?? id}</span>
          {rewards.map(({ name, range }) => (
            <span key={name} className="number">
              {figure(values[name])}
              <Bar share={shareOf(values[name], range)} />
            </span>
          ))}
        </button>
      ))}
    </div>
  )
}
