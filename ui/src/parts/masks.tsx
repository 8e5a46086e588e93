import { counted } from '../format.ts'
import type { ShownImage, ShownMask, ShownMasks } from '../wire.ts'
import { palette } from './chart.tsx'
import { useShortcuts } from './shortcuts.tsx'

type Shown = Extract<ShownImage, { url: string }>

const roles: Readonly<Record<ShownMask['role'], string>> = {
  reference: 'reference',
  predicted: 'answer',
  row: 'row',
}
const wrong = '#d92d20'

/** A colour for each label, in the order in which labels come. */
export function maskColours(masks: readonly ShownMask[]): ReadonlyMap<string, string> {
  const labels = [...new Set(masks.map(({ label = '' }) => label))]
  return new Map(labels.map((label, index) => [label, palette[index % palette.length]!]))
}

/** What hides a mask: its role, or its label. */
export function maskLayers({ role, label = '' }: ShownMask): readonly [role: string, label: string] {
  return [`role ${role}`, `label ${label}`]
}

/** A translucent region over a picture: a dashed edge is the reference, a dotted one the row's, red says wrong. */
export function MaskPath({
  mask: { path, fillRule, size, role, label, good },
  image,
  colour,
  labelSize,
}: {
  readonly mask: ShownMask
  readonly image: Shown
  readonly colour: string
  /** Of its label [picture's pixels]; 0 for none. */
  readonly labelSize: number
}) {
  const [scaleX, scaleY] = size === null ? [1, 1] : [image.width / size.width, image.height / size.height]
  const [, x = '0', y = '0'] = /^M(-?[\d.]+) (-?[\d.]+)/.exec(path) ?? []
  const edge = good === false ? wrong : colour
  return (
    <g>
      <path
        d={path}
        transform={`scale(${scaleX} ${scaleY})`}
        fill={colour}
        fillOpacity={0.34}
        fillRule={fillRule}
        stroke={edge}
        strokeWidth={1.6}
        strokeDasharray={role === 'reference' ? '6 4' : role === 'row' ? '2 3' : undefined}
        vectorEffect="non-scaling-stroke"
      />
      {labelSize > 0 && label !== undefined && (
        <text
          x={Math.min(Number(x) * scaleX + labelSize / 4, image.width - labelSize * 2)}
          y={Math.max(labelSize, Number(y) * scaleY - labelSize / 4)}
          fontSize={labelSize}
          fill={edge}
          stroke="#fff"
          strokeWidth={labelSize / 4}
          paintOrder="stroke"
        >
          {label}
        </text>
      )}
    </g>
  )
}

/** Shows and hides masks by role and by label, and boxes. */
export function MaskToggles({
  masks: { shown, left },
  colours,
  boxes,
  hasKey,
  hidden,
  onChange,
}: {
  readonly masks: ShownMasks
  readonly colours: ReadonlyMap<string, string>
  readonly boxes: number
  /** `m` shows and hides all masks at once. */
  readonly hasKey: boolean
  readonly hidden: ReadonlySet<string>
  readonly onChange: (hidden: ReadonlySet<string>) => void
}) {
  const byRole = Map.groupBy(shown, ({ role }) => role)
  const byLabel = Map.groupBy(shown, ({ label = '' }) => label)
  const all = [...byRole.keys()].map((role) => `role ${role}`)
  const change = (changed: readonly string[], isHidden: boolean) => {
    const next = new Set(hidden)
    for (const layer of changed) isHidden ? next.add(layer) : next.delete(layer)
    onChange(next)
  }
  const toggle = (layer: string) => change([layer], !hidden.has(layer))
  const flip = () =>
    change(
      all,
      all.some((layer) => !hidden.has(layer)),
    )
  useShortcuts('Masks', hasKey ? [{ keys: 'm', does: 'Masks on or off', run: flip }] : [])
  return (
    <fieldset className="toggles">
      <legend className="soft small">masks: dashed reference, solid answer, dotted what the row says</legend>
      {[...byRole].map(([role, own]) => (
        <Toggle key={role} layer={`role ${role}`} hidden={hidden} onToggle={toggle}>
          {roles[role]} <span className="soft">{own.length}</span>
        </Toggle>
      ))}
      {byLabel.size > 1 || !byLabel.has('')
        ? [...byLabel].map(([label, own]) => (
            <Toggle key={`label ${label}`} layer={`label ${label}`} hidden={hidden} onToggle={toggle}>
              <i style={{ background: colours.get(label) }} />
              {label === '' ? 'without a label' : label} <span className="soft">{own.length}</span>
            </Toggle>
          ))
        : null}
      {boxes > 0 && (
        <Toggle layer="boxes" hidden={hidden} onToggle={toggle}>
          boxes <span className="soft">{boxes}</span>
        </Toggle>
      )}
      {left > 0 && (
        <span className="soft small">{counted(left, 'mask')} cannot be read or are too many to be shown</span>
      )}
    </fieldset>
  )
}

function Toggle({
  layer,
  hidden,
  onToggle,
  children,
}: {
  readonly layer: string
  readonly hidden: ReadonlySet<string>
  readonly onToggle: (layer: string) => void
  readonly children: React.ReactNode
}) {
  return (
    <button
      type="button"
      className="toggle"
      aria-pressed={!hidden.has(layer)}
      onClick={() => onToggle(layer)}
    >
      {children}
    </button>
  )
}
