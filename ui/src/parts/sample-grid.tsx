import { useElementSize } from '@mantine/hooks'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { figure } from '../format.ts'
import type { RewardHead, SampleOrder, ShownSample } from '../wire.ts'
import { imagesOf, Picture } from './picture.tsx'
import { ScoreLines } from './scores.tsx'
import { plainText } from './turns.tsx'

const cardHeight = 336
const gap = 14
const narrowest = 272
/** Of a card that holds the answers of two runs. */
const narrowestPair = 460

/** Samples as cards; only those near the window are in the page, however many there are. */
export function SampleGrid({
  samples,
  rewards,
  order,
  current,
  onOpen,
  hasMore,
  onMore,
}: {
  readonly samples: readonly ShownSample[]
  readonly rewards: readonly RewardHead[]
  readonly order: SampleOrder
  readonly current: number | undefined
  readonly onOpen: (position: number) => void
  readonly hasMore: boolean
  readonly onMore: () => void
}) {
  const { ref, width } = useElementSize()
  const outer = useRef<HTMLDivElement>(null)
  const other = order.by === 'gap' || order.by === 'disagreement' ? order.second.run : undefined
  const least = other === undefined ? narrowest : narrowestPair
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)))
  const rows = Math.ceil(samples.length / columns)
  const virtual = useWindowVirtualizer({
    count: rows,
    estimateSize: () => cardHeight + gap,
    overscan: 3,
    scrollMargin: outer.current?.offsetTop ?? 0,
  })
  const shown = virtual.getVirtualItems()
  const last = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasMore && last >= rows - 3) onMore()
  }, [hasMore, last, rows, onMore])

  return (
    <div ref={outer}>
      <ul
        ref={ref}
        className="grid"
        style={{ height: virtual.getTotalSize(), listStyle: 'none', padding: 0, margin: 0 }}
        aria-label="Samples"
      >
        {width > 0 &&
          shown.map((row) => (
            <li
              key={row.key}
              className="gridrow"
              style={{
                gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
                transform: `translateY(${row.start - virtual.options.scrollMargin}px)`,
              }}
            >
              {samples.slice(row.index * columns, (row.index + 1) * columns).map((sample) => (
                <SampleCard
                  key={sample.position}
                  sample={sample}
                  rewards={rewards}
                  order={order}
                  other={other}
                  isCurrent={sample.position === current}
                  onOpen={onOpen}
                />
              ))}
            </li>
          ))}
      </ul>
      {hasMore && (
        <p className="soft small" style={{ textAlign: 'center', padding: 10 }}>
          more is coming …
        </p>
      )}
    </div>
  )
}

function SampleCard({
  sample,
  rewards,
  order,
  other,
  isCurrent,
  onOpen,
}: {
  readonly sample: ShownSample
  readonly rewards: readonly RewardHead[]
  readonly order: SampleOrder
  readonly other: string | undefined
  readonly isCurrent: boolean
  readonly onOpen: (position: number) => void
}) {
  const kind = ['recipe', 'model', 'kind']
    .map((field) => sample.meta[field])
    .find((value) => typeof value === 'string')
  const { beside } = sample
  return (
    <article className="sample" data-current={isCurrent || undefined}>
      {beside === undefined ? (
        <Look sample={sample} />
      ) : (
        <span className="pair">
          <Look sample={sample} />
          <Look sample={beside} />
        </span>
      )}
      <span className="body">
        <span className="between small">
          <button type="button" className="open ellipsis" onClick={() => onOpen(sample.position)}>
            {sample.id}
          </button>
          {sample.key !== undefined && order.by !== 'value' && (
            <Apart apart={sample.key} isPlain={other !== undefined} />
          )}
        </span>
        {kind !== undefined && <span className="soft small ellipsis">{String(kind)}</span>}
        {beside === undefined ? (
          <>
            <span className="text">{plainText(sample.output).slice(0, 700)}</span>
            <ScoreLines scores={sample.scores} rewards={rewards} />
          </>
        ) : (
          <>
            <span className="pair soft small">
              <span className="ellipsis">here</span>
              <span className="ellipsis">in {other}</span>
            </span>
            <span className="pair text">
              {[sample, beside].map(({ run, output }) => (
                <span key={run}>{plainText(output).slice(0, 500)}</span>
              ))}
            </span>
            <span className="pair">
              {[sample, beside].map(({ run, scores }) => (
                <ScoreLines key={run} scores={scores} rewards={rewards} most={3} />
              ))}
            </span>
          </>
        )}
      </span>
    </article>
  )
}

/** How far apart two values are, by which a card stands where it does. */
function Apart({ apart, isPlain }: { readonly apart: number; readonly isPlain: boolean }) {
  if (isPlain)
    return (
      <span className="tag accent nowrap" title="difference of the values">
        {apart > 0 ? '+' : ''}
        {figure(apart)}
      </span>
    )
  return (
    <span className="tag accent nowrap" title="apart by so many standard deviations">
      {figure(apart, 2)} sd
    </span>
  )
}

function Look({ sample }: { readonly sample: ShownSample }) {
  const [image] = [...imagesOf(sample.prompt), ...imagesOf(sample.output)]
  const render = sample.renders.find(({ dataUrl }) => dataUrl !== undefined)
  if (!image && !render) return null
  return (
    <span className="look">
      {render ? (
        <img src={render.dataUrl} alt={render.role} loading="lazy" />
      ) : (
        <Picture
          image={image!}
          boxes={sample.boxes.filter((box) => box.image === 0)}
          masks={sample.masks.shown.filter((mask) => mask.image === 0)}
        />
      )}
    </span>
  )
}
