import { useMemo, useState } from 'react'
import type { Render, ShownImage, ShownMask, ShownMasks, ShownSample, ShownTurns } from '../wire.ts'
import { MaskPath, MaskToggles, maskColours, maskLayers } from './masks.tsx'

type Boxes = ShownSample['boxes']

const colours = { reference: '#0f8f49', predicted: '#3557d5', wrong: '#d92d20' }

const noMasks: ShownMasks = { shown: [], left: 0 }

/**
 * A picture with what rewards point at drawn on it: dashed green the reference, blue the answer, red where it is wrong.
 * Masks lie below the boxes, a colour for each label.
 */
export function Picture({
  image,
  boxes = [],
  masks = [],
  colours: maskColour = maskColours(masks),
  full = false,
  width,
}: {
  readonly image: ShownImage
  readonly boxes?: Boxes
  readonly masks?: readonly ShownMask[]
  /** Of masks, by label. */
  readonly colours?: ReadonlyMap<string, string>
  readonly full?: boolean
  readonly width?: number
}) {
  if ('problem' in image) return <p className="soft small">Picture not shown: {image.problem}</p>
  const url = full ? `${image.url}?side=full` : image.url
  const line = Math.max(1, Math.max(image.width, image.height) / 170)
  const size = 7.2 * line
  const predicted = new Set(boxes.filter(({ role }) => role === 'predicted').map(({ label }) => label))
  // A label that a box or an earlier mask has is not written once more.
  const isNamedHere = ({ label }: ShownMask, index: number) =>
    !boxes.some((box) => box.label === label) && masks.findIndex((mask) => mask.label === label) === index
  return (
    <svg
      viewBox={`0 0 ${image.width} ${image.height}`}
      width={width ?? (full ? Math.max(380, Math.min(560, image.width)) : Math.min(460, image.width))}
      role="img"
      aria-label={describedPicture(boxes.length, masks)}
    >
      <image href={url} width={image.width} height={image.height} />
      {masks.map((mask, index) => (
        <MaskPath
          // biome-ignore lint/suspicious/noArrayIndexKey: masks stand in their order
          key={index}
          mask={mask}
          image={image}
          colour={maskColour.get(mask.label ?? '')!}
          labelSize={full && isNamedHere(mask, index) ? size : 0}
        />
      ))}
      {boxes.map(({ box: [x1, y1, x2, y2], role, good, label }) => {
        const colour =
          role === 'reference' ? colours.reference : good === false ? colours.wrong : colours.predicted
        return (
          <g key={`${role} ${x1} ${y1} ${x2} ${y2} ${label ?? ''}`}>
            <rect
              x={x1}
              y={y1}
              width={Math.max(0, x2 - x1)}
              height={Math.max(0, y2 - y1)}
              fill="none"
              stroke={colour}
              strokeWidth={line}
              strokeDasharray={role === 'reference' ? `${3 * line} ${2 * line}` : undefined}
            />
            {label && !(role === 'reference' && predicted.has(label)) && (
              <text x={x1 + line} y={Math.max(size, y1 - line)} fontSize={size} fill={colour}>
                {label}
              </text>
            )}
          </g>
        )
      })}
    </svg>
  )
}

function describedPicture(boxes: number, masks: readonly ShownMask[]): string {
  const labels = [...new Set(masks.flatMap(({ label }) => label ?? []))].slice(0, 8)
  const parts = [
    ...(boxes > 0 ? [`${boxes} boxes`] : []),
    ...(masks.length > 0
      ? [`${masks.length} masks${labels.length > 0 ? ` (${labels.join(', ')})` : ''}`]
      : []),
  ]
  return parts.length === 0 ? 'picture' : `picture with ${parts.join(' and ')}`
}

/** The pictures of turns in order, frames of videos included, each with its own boxes. */
export function imagesOf({ messages }: ShownTurns): (ShownImage & { isFrame?: boolean })[] {
  return messages.flatMap(({ parts }) =>
    parts.flatMap((part) =>
      part.type === 'image'
        ? part.image
          ? [part.image]
          : []
        : part.type === 'video'
          ? part.frames.map((frame) => ({ ...frame, isFrame: true }))
          : [],
    ),
  )
}

export function Pictures({
  turns,
  boxes,
  masks = noMasks,
  renders,
  full = false,
}: {
  readonly turns: readonly ShownTurns[]
  readonly boxes: Boxes
  readonly masks?: ShownMasks
  readonly renders: readonly Render[]
  readonly full?: boolean
}) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const maskColour = useMemo(() => maskColours(masks.shown), [masks])
  const images = turns.flatMap(imagesOf)
  if (images.length + renders.length === 0) return null
  const frames = images.filter(({ isFrame }) => isFrame).length
  const all = images.map((image, index) => {
    const own = hidden.has('boxes') ? [] : boxes.filter((box) => box.image === index)
    const over = masks.shown.filter(
      (mask) => mask.image === index && maskLayers(mask).every((layer) => !hidden.has(layer)),
    )
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: pictures stand in their order
      <figure className="picture" key={index}>
        <Picture
          image={image}
          boxes={own}
          masks={over}
          colours={maskColour}
          full={full && frames <= 1}
          {...(frames > 1 ? { width: 180 } : {})}
        />
        {frames > 1 && <figcaption>frame {index + 1}</figcaption>}
        {own.length > 0 && index === 0 && (
          <figcaption>dashed green: reference · blue: answer · red: wrong</figcaption>
        )}
      </figure>
    )
  })
  return (
    <>
      {all.length > 0 && <div className={frames > 1 ? 'frames' : 'pictures'}>{all}</div>}
      {images.length > 0 && (masks.shown.length > 0 || masks.left > 0) && (
        <MaskToggles
          masks={masks}
          colours={maskColour}
          boxes={boxes.length}
          hasKey={full}
          hidden={hidden}
          onChange={setHidden}
        />
      )}
      {renders.length > 0 && (
        <div className="pictures">
          {renders.map((render, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: pictures stand in their order
            <Rendered key={index} render={render} />
          ))}
        </div>
      )}
    </>
  )
}

export function Rendered({ render }: { readonly render: Render }) {
  if (render.dataUrl === undefined) return <p className="soft small">Not drawn: {render.problem}</p>
  return (
    <figure className="picture">
      <img src={render.dataUrl} alt={render.role} width={224} />
      <figcaption>{render.role}</figcaption>
    </figure>
  )
}
