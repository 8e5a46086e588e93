import { GuerdonError, messageOf } from '../../../core/index.ts'
import type { Raster } from '../../../models/embedder.ts'
import { parseSvg, type SvgElement, type SvgParseOptions, writeSvg } from './svg-document.ts'
import { type SvgSafetyOptions, whySvgUnsafe } from './svg-safety.ts'

export interface SvgRenderOptions extends SvgParseOptions, SvgSafetyOptions {
  /** Longer side of the picture; at most 1024. @default 224 */
  readonly pixels?: number
  /** CSS colour behind the drawing; null leaves it transparent. @default 'white' */
  readonly background?: string | null
}

export interface SvgRendering {
  readonly raster: Raster
  readonly root: SvgElement
  /** The picture as `data:image/png;base64,...`. */
  dataUrl(): string
}

/** A document that was not rendered, and why: its own fault. */
export interface SvgFailure {
  readonly problem: string
  /** Refused for safety or cost, unlike markup that is broken or a picture without size. */
  readonly unsafe: boolean
}

/** The narrowest picture that is rendered: sides of 1 to 100. */
const thinnest = 0.01

/**
 * Loads the renderer (resvg, native) and returns a function that draws SVG documents. A document is parsed, checked
 * and written anew before the renderer sees it, so that what is checked is what is drawn; nothing is fetched, no
 * script runs, fonts of the system are not used (text is not drawn), and time and memory are bounded by the limits.
 * Throws a `GuerdonError` when the renderer cannot be loaded.
 */
export async function loadSvgRenderer(): Promise<
  (svg: string, options?: SvgRenderOptions) => SvgRendering | SvgFailure
> {
  let resvg: typeof import('@resvg/resvg-js')
  try {
    resvg = await import('@resvg/resvg-js')
  } catch (error) {
    throw new GuerdonError('missing-renderer', `the SVG renderer cannot be loaded (${messageOf(error)}).`, {
      fix: 'Install @resvg/resvg-js for this platform.',
      cause: error,
    })
  }
  return (svg, options = {}) => {
    const { pixels = 224, background = 'white' } = options
    if (!(Number.isInteger(pixels) && pixels >= 1 && pixels <= 1024))
      throw new RangeError(`a picture of ${pixels} pixels cannot be rendered (1 to 1024)`)
    const parsed = parseSvg(svg, options)
    if (!parsed.root) return { problem: `${parsed.problem} (at character ${parsed.at})`, unsafe: false }
    const { root } = parsed
    if (root.name !== 'svg' && !root.name.endsWith(':svg'))
      return { problem: `the root is <${root.name}>`, unsafe: false }
    const unsafe = whySvgUnsafe(root, { ...options, pixels })
    if (unsafe !== undefined) return { problem: `the document ${unsafe}`, unsafe: true }
    try {
      const written = writeSvg(root)
      const settings = {
        font: { loadSystemFonts: false },
        logLevel: 'off',
        ...(background === null ? {} : { background }),
      } as const
      const { width, height } = new resvg.Resvg(written, settings)
      const ratio = width / height
      if (!(ratio >= thinnest && ratio <= 1 / thinnest))
        return { problem: `a picture of ${width} by ${height}`, unsafe: false }
      const fitTo = { mode: width >= height ? 'width' : 'height', value: pixels } as const
      const image = new resvg.Resvg(written, { ...settings, fitTo }).render()
      const { buffer, byteOffset, length } = image.pixels
      const raster = {
        width: image.width,
        height: image.height,
        data: new Uint8Array(buffer, byteOffset, length),
      }
      return { raster, root, dataUrl: () => `data:image/png;base64,${image.asPng().toString('base64')}` }
    } catch (error) {
      return { problem: messageOf(error), unsafe: false }
    }
  }
}

export function isRendered(result: SvgRendering | SvgFailure): result is SvgRendering {
  return 'raster' in result
}
