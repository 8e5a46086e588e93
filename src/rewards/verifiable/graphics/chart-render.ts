import { type JsonObject, messageOf } from '../../../core/index.ts'
import { whyChartUnsafe } from './chart-safety.ts'
import { writeSvg } from './svg-document.ts'
import { isRendered, loadSvgRenderer, type SvgFailure, type SvgRendering } from './svg-render.ts'
import { loadVegaViews } from './vega-view.ts'

export interface ChartRenderOptions {
  /** Longer side of the picture. @default 224 */
  readonly pixels?: number
}

/** `dataUrl` is the chart as SVG, texts included, or as PNG where that is smaller than a large SVG. */
export interface ChartRendering extends SvgRendering {
  /** Whether any mark can be seen: axes, legends and titles are not data. */
  readonly showsData: boolean
}

/** Longest SVG kept as evidence [characters]. */
const largestEvidence = 100_000

/** What the charts' own SVG may hold: more than a model's. */
const svgLimits = { maxCharacters: 4_000_000, maxElements: 50_000, maxCost: 60_000 }

/**
 * Loads Vega (see `loadVegaViews`) and the SVG renderer, and returns a function that draws Vega-Lite specifications.
 * Sizes are checked before (`whyChartUnsafe`). Texts are laid out by estimated widths and not drawn in the picture, so
 * that it is the same on every machine; the SVG has them.
 *
 * A chart is drawn on the calling thread: whoever must be certain that it ends runs the reward isolated.
 */
export async function loadChartRenderer(): Promise<
  (spec: JsonObject, options?: ChartRenderOptions) => Promise<ChartRendering | SvgFailure>
> {
  const render = await loadSvgRenderer()
  const viewOf = await loadVegaViews()
  return async (spec, { pixels = 224 } = {}) => {
    const unsafe = whyChartUnsafe(spec)
    if (unsafe !== undefined) return { problem: `the chart ${unsafe}`, unsafe: true }
    let svg: string
    let showsData: boolean
    try {
      const view = viewOf(spec)
      try {
        svg = await view.toSVG()
        showsData = showsMark((view.scenegraph() as unknown as { root: SceneMark }).root)
      } finally {
        view.finalize()
      }
    } catch (error) {
      return { problem: messageOf(error), unsafe: false }
    }
    const rendered = render(svg, { ...svgLimits, pixels })
    if (!isRendered(rendered)) return rendered
    const dataUrl = () => {
      const text = writeSvg(rendered.root)
      return text.length > largestEvidence
        ? rendered.dataUrl()
        : `data:image/svg+xml;base64,${Buffer.from(text).toString('base64')}`
    }
    return { ...rendered, dataUrl, showsData }
  }
}

/** What is read of Vega's scene graph: marks hold items, items of groups hold marks. */
interface SceneMark {
  readonly marktype?: string
  readonly role?: string
  readonly items?: readonly SceneItem[]
}
interface SceneItem {
  readonly items?: readonly SceneMark[]
  readonly opacity?: number
  readonly fill?: unknown
  readonly fillOpacity?: number
  readonly stroke?: unknown
  readonly strokeOpacity?: number
  readonly bounds?: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number }
}

const guides = /axis|legend|title|header|footer/

/** Whether a mark of the data, here or below, is painted on at least a square pixel. */
function showsMark({ marktype, role = '', items = [] }: SceneMark): boolean {
  if (guides.test(role)) return false
  if (marktype === 'group') return items.some((item) => item.items?.some(showsMark))
  return items.some(
    ({ opacity = 1, fill, fillOpacity = 1, stroke, strokeOpacity = 1, bounds }) =>
      bounds !== undefined &&
      (bounds.x2 - bounds.x1) * (bounds.y2 - bounds.y1) >= 1 &&
      (isPaint(fill, opacity * fillOpacity) || isPaint(stroke, opacity * strokeOpacity)),
  )
}

/** Gradients count, whatever their colours. */
function isPaint(paint: unknown, opacity: number): boolean {
  if (paint === undefined || paint === null || !(opacity >= 0.02)) return false
  const colour = String(paint).replace(/\s/g, '').toLowerCase()
  return !/^(?:|none|transparent|white|#f{3,4}|#f{6}(?:f{2})?|rgba?\(255,255,255.*|rgba\(.*,0\)|#.{6}00)$/.test(
    colour,
  )
}
