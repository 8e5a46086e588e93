import { useElementSize } from '@mantine/hooks'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { figure } from '../format.ts'
import type { RewardHead, SampleOrder, ShownSample } from '../wire.ts'
import { imagesOf, Picture } from './picture.tsx'
import { ScoreLines, Value } from './scores.tsx'
import { plainText } from './turns.tsx'

const cardHeight = 336
const gap = 14
const narrowest = 272

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
  const columns = Math.max(1, Math.floor((width + gap) / (narrowest + gap)))
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
  isCurrent,
  onOpen,
}: {
  readonly sample: ShownSample
  readonly rewards: readonly RewardHead[]
  readonly order: SampleOrder
  readonly isCurrent: boolean
  readonly onOpen: (position: number) => void
}) {
  const [image] = [...imagesOf(sample.prompt), ...imagesOf(sample.output)]
  const render = sample.renders.find(({ dataUrl }) => dataUrl !== undefined)
  const kind = ['recipe', 'model', 'kind']
    .map((field) => sample.meta[field])
    .find((value) => typeof value === 'string')
  return (
    <article className="sample" data-current={isCurrent || undefined}>
      {(image || render) && (
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
      )}
      <span className="body">
        <span className="between small">
          <button type="button" className="open ellipsis" onClick={() => onOpen(sample.position)}>
            {sample.id}
          </button>
          {sample.key !== undefined && order.by !== 'value' && (
            <span className="tag accent nowrap" title="apart by so many standard deviations">
              {figure(sample.key, 2)} sd
            </span>
          )}
        </span>
        {kind !== undefined && <span className="soft small ellipsis">{String(kind)}</span>}
        <span className="text">{plainText(sample.output).slice(0, 700)}</span>
        <ScoreLines scores={sample.scores} rewards={rewards} />
        {sample.other !== undefined && order.by !== 'position' && order.by !== 'value' && (
          <span className="between small">
            <span className="soft ellipsis">in {order.second.run}</span>
            <Value score={sample.other} />
          </span>
        )}
      </span>
    </article>
  )
}
