import { Drawer, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { counted, figure } from '../format.ts'
import type { KeptCase, KeptOutcome } from '../wire.ts'
import { Said } from './said.tsx'

/** What stands behind a number: the items, those that went wrong first. */
export interface CasesBehind {
  readonly title: string
  readonly outcomes: readonly KeptOutcome[]
  readonly cases: Readonly<Record<string, KeptCase>>
}

const names: Readonly<Record<string, string>> = {
  right: 'right',
  wrong: 'wrong',
  tie: 'a tie',
  graded: 'graded',
  unresolved: 'not judged',
}
const shownAtOnce = 30

export function CasesDrawer({
  behind,
  onClose,
}: {
  readonly behind: CasesBehind | null
  readonly onClose: () => void
}) {
  return (
    <Drawer
      opened={behind !== null}
      onClose={onClose}
      position="right"
      size="min(860px, 100vw)"
      title={<b>{behind?.title}</b>}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {behind && <Inside behind={behind} />}
    </Drawer>
  )
}

function Inside({ behind: { outcomes, cases } }: { readonly behind: CasesBehind }) {
  const counts = Map.groupBy(outcomes, ([, , outcome]) => outcome)
  const kinds = [...counts.keys()].sort((a, b) => order(a) - order(b))
  const [kind, setKind] = useState(kinds[0] ?? 'all')
  const [most, setMost] = useState(shownAtOnce)
  const chosen = [...(counts.get(kind) ?? [])].sort((a, b) => (a[3] ?? 0) - (b[3] ?? 0))
  const withCase = chosen.filter(([item]) => cases[item] !== undefined)
  return (
    <div className="stack">
      {kinds.length > 1 && (
        <SegmentedControl
          aria-label="Which items"
          value={kind}
          onChange={(value) => {
            setKind(value)
            setMost(shownAtOnce)
          }}
          data={kinds.map((value) => ({
            value,
            label: `${names[value] ?? value} (${counts.get(value)!.length.toLocaleString('en')})`,
          }))}
        />
      )}
      <p className="soft small">
        {counted(chosen.length, 'item')}
        {withCase.length < chosen.length &&
          `, ${withCase.length.toLocaleString('en')} of them kept with their texts`}
      </p>
      {withCase.slice(0, most).map(([item, subset, , margin]) => (
        <CaseCard
          key={item}
          one={cases[item]!}
          note={`${subset}${margin === null ? '' : ` · margin ${figure(margin)}`}`}
        />
      ))}
      {withCase.length > most && (
        <button type="button" className="link" onClick={() => setMost(most + shownAtOnce)}>
          show more
        </button>
      )}
    </div>
  )
}

function order(outcome: string): number {
  return ['wrong', 'graded', 'tie', 'unresolved', 'right'].indexOf(outcome)
}

export function CaseCard({ one, note }: { readonly one: KeptCase; readonly note?: string }) {
  return (
    <article className="card stack" style={{ gap: 8 }}>
      <div className="between">
        <h3 style={{ overflowWrap: 'anywhere' }}>{one.title}</h3>
        <span className="soft small">{note ?? one.note}</span>
      </div>
      <details>
        <summary className="soft small">prompt</summary>
        <Said>{one.prompt}</Said>
      </details>
      {one.images.length > 0 && (
        <div className="pictures">
          {one.images.map((image, index) =>
            typeof image === 'string' ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: pictures stand in their order
              <span className="soft small" key={index}>
                picture not shown: {image}
              </span>
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: pictures stand in their order
              <figure className="picture" key={index}>
                <img src={image.dataUrl} alt="" width={Math.min(240, image.width)} />
              </figure>
            ),
          )}
        </div>
      )}
      <div
        style={{
          display: 'grid',
          gap: 12,
          gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 260px), 1fr))',
        }}
      >
        {one.sides.map(({ title, output, value, tags }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: sides stand in their order
          <div key={index} className="stack" style={{ gap: 4, minWidth: 0 }}>
            <div className="row small" style={{ gap: 6 }}>
              <b>{title}</b>
              {tags.map(({ text, tone }) => (
                <span key={text} className={`tag ${tone}`}>
                  {text}
                </span>
              ))}
              {value !== null && <span className="soft">scored {figure(value)}</span>}
            </div>
            <Said most={240}>{output}</Said>
          </div>
        ))}
      </div>
    </article>
  )
}
