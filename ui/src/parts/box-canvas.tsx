import { ActionIcon, Button, NumberInput, TextInput } from '@mantine/core'
import { useRef, useState } from 'react'
import { Icon } from './icon.tsx'

export interface DrawnBox {
  readonly bbox_2d: readonly [number, number, number, number]
  readonly label: string
}

/** Boxes drawn over a picture: by pointer, by arrow keys (Shift: ten pixels, Alt: the far corner), or by number. */
export function BoxCanvas({
  image,
  boxes,
  onChange,
}: {
  readonly image: { readonly dataUrl: string; readonly width: number; readonly height: number }
  readonly boxes: readonly DrawnBox[]
  readonly onChange: (boxes: readonly DrawnBox[]) => void
}) {
  const canvas = useRef<SVGSVGElement>(null)
  const [draft, setDraft] = useState<DrawnBox['bbox_2d'] | null>(null)
  const [grip, setGrip] = useState<{ index: number; x: number; y: number; corner: boolean } | null>(null)
  const [selected, setSelected] = useState<number | null>(null)
  const { width, height } = image
  const line = Math.max(1, Math.max(width, height) / 160)
  const point = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
    const area = canvas.current!.getBoundingClientRect()
    const x = ((clientX - area.left) / area.width) * width
    const y = ((clientY - area.top) / area.height) * height
    return [
      Math.round(Math.min(width, Math.max(0, x))),
      Math.round(Math.min(height, Math.max(0, y))),
    ] as const
  }
  const replace = (index: number, box: DrawnBox) =>
    onChange(boxes.map((one, at) => (at === index ? box : one)))
  const move = (index: number, dx: number, dy: number, corner: boolean) => {
    const one = boxes[index]
    if (one === undefined) return
    const [x1, y1, x2, y2] = one.bbox_2d
    const moved = corner
      ? ([x1, y1, Math.max(x1 + 1, x2 + dx), Math.max(y1 + 1, y2 + dy)] as const)
      : ([x1 + dx, y1 + dy, x2 + dx, y2 + dy] as const)
    if (moved[0] < 0 || moved[1] < 0 || moved[2] > width || moved[3] > height) return
    replace(index, { ...one, bbox_2d: moved })
  }
  return (
    <div className="stack">
      <svg
        ref={canvas}
        className="canvas"
        viewBox={`0 0 ${width} ${height}`}
        aria-label={`picture with ${boxes.length} boxes`}
        onPointerDown={(event) => {
          const [x, y] = point(event)
          event.currentTarget.setPointerCapture(event.pointerId)
          setDraft([x, y, x, y])
        }}
        onPointerMove={(event) => {
          const [x, y] = point(event)
          if (grip) {
            move(grip.index, x - grip.x, y - grip.y, grip.corner)
            setGrip({ ...grip, x, y })
          } else if (draft) setDraft([draft[0], draft[1], x, y])
        }}
        onPointerUp={() => {
          setGrip(null)
          if (draft === null) return
          const [x1, y1, x2, y2] = draft
          setDraft(null)
          const box = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)] as const
          if (box[2] - box[0] < 4 || box[3] - box[1] < 4) return setSelected(null)
          setSelected(boxes.length)
          onChange([...boxes, { bbox_2d: box, label: boxes.at(-1)?.label ?? 'thing' }])
        }}
      >
        <image href={image.dataUrl} width={width} height={height} />
        {boxes.map(({ bbox_2d: [x1, y1, x2, y2], label }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: boxes stand in their order
          <g key={index}>
            {/* biome-ignore lint/a11y/useSemanticElements: a rectangle that keys move */}
            <rect
              role="button"
              tabIndex={0}
              aria-label={`box ${index + 1}, ${label}`}
              aria-pressed={selected === index}
              x={x1}
              y={y1}
              width={Math.max(0, x2 - x1)}
              height={Math.max(0, y2 - y1)}
              fill={selected === index ? 'rgba(53,87,213,0.16)' : 'rgba(53,87,213,0.04)'}
              stroke="#3557d5"
              strokeWidth={line}
              style={{ cursor: 'move' }}
              onFocus={() => setSelected(index)}
              onPointerDown={(event) => {
                event.stopPropagation()
                const [x, y] = point(event)
                canvas.current!.setPointerCapture(event.pointerId)
                setSelected(index)
                setGrip({ index, x, y, corner: x2 - x < 9 * line && y2 - y < 9 * line })
              }}
              onKeyDown={(event) => {
                const by = event.shiftKey ? 10 : 1
                const [dx, dy] = arrows[event.key] ?? [0, 0]
                if (dx !== 0 || dy !== 0) {
                  event.preventDefault()
                  move(index, dx * by, dy * by, event.altKey)
                }
                if (event.key === 'Delete' || event.key === 'Backspace') {
                  event.preventDefault()
                  onChange(boxes.filter((_, at) => at !== index))
                }
              }}
            />
            <rect
              x={x2 - 5 * line}
              y={y2 - 5 * line}
              width={5 * line}
              height={5 * line}
              fill="#3557d5"
              pointerEvents="none"
            />
            <text
              x={x1 + line}
              y={Math.max(7 * line, y1 - line)}
              fontSize={7 * line}
              fill="#2b48b6"
              pointerEvents="none"
            >
              {label}
            </text>
          </g>
        ))}
        {draft && (
          <rect
            x={Math.min(draft[0], draft[2])}
            y={Math.min(draft[1], draft[3])}
            width={Math.abs(draft[2] - draft[0])}
            height={Math.abs(draft[3] - draft[1])}
            fill="rgba(217,119,43,0.15)"
            stroke="#d9772b"
            strokeWidth={line}
            strokeDasharray={`${3 * line}`}
          />
        )}
      </svg>
      <p className="soft small">
        Drag to draw, drag a box to move it, its lower right corner to size it. Keys on a box: arrows, Shift
        for ten pixels, Alt for the corner, Delete.
      </p>
      <div className="stack" style={{ gap: 6 }}>
        {boxes.map((box, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: boxes stand in their order
          <div className="row" key={index} style={{ gap: 6, flexWrap: 'nowrap' }}>
            <TextInput
              size="xs"
              aria-label={`label of box ${index + 1}`}
              value={box.label}
              onChange={(event) => replace(index, { ...box, label: event.currentTarget.value })}
              style={{ flex: 2, minWidth: 90 }}
            />
            {box.bbox_2d.map((value, side) => (
              <NumberInput
                // biome-ignore lint/suspicious/noArrayIndexKey: the four sides of a box
                key={side}
                size="xs"
                hideControls
                aria-label={`${sides[side]} of box ${index + 1}`}
                value={value}
                min={0}
                max={side % 2 === 0 ? width : height}
                onChange={(next) => {
                  const bbox = [...box.bbox_2d] as [number, number, number, number]
                  bbox[side] = Number(next)
                  replace(index, { ...box, bbox_2d: bbox })
                }}
                style={{ flex: 1, minWidth: 44 }}
              />
            ))}
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`remove box ${index + 1}`}
              onClick={() => onChange(boxes.filter((_, at) => at !== index))}
            >
              <Icon name="close" size={14} />
            </ActionIcon>
          </div>
        ))}
        <div>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<Icon name="plus" size={14} />}
            onClick={() =>
              onChange([
                ...boxes,
                {
                  bbox_2d: [0.3, 0.3, 0.6, 0.6].map((share, side) =>
                    Math.round(share * (side % 2 ? height : width)),
                  ) as never,
                  label: boxes.at(-1)?.label ?? 'thing',
                },
              ])
            }
          >
            Add a box
          </Button>
        </div>
      </div>
    </div>
  )
}

const sides = ['left', 'top', 'right', 'bottom']
const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}
