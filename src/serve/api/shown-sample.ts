import { dirname, resolve } from 'node:path'
import {
  type Content,
  type Evidence,
  type ImageSource,
  identityOf,
  imagesOf,
  isDialogue,
  type Json,
  type JsonObject,
  type Message,
  messageOf,
  type Sample,
  type Score,
  type Turns,
  textOf,
} from '../../core/index.ts'
import { probeImage } from '../../data/images.ts'
import { readChart } from '../../rewards/verifiable/graphics/chart.ts'
import { loadChartRenderer } from '../../rewards/verifiable/graphics/chart-render.ts'
import { extractSvg } from '../../rewards/verifiable/graphics/svg-document.ts'
import { isRendered, loadSvgRenderer } from '../../rewards/verifiable/graphics/svg-render.ts'
import type { FoundSample, StoredRun } from '../../store/index.ts'
import { shownMasks } from './shown-masks.ts'
import type { Render, ShownImage, ShownMessage, ShownPart, ShownSample, ShownTurns } from './wire.ts'

/** Where the pictures of a run's samples are: in the folder of its data. */
export function baseDirectoryOf({ source }: Pick<StoredRun, 'source'>): string {
  return source === undefined || source === '-' || source.includes('://')
    ? process.cwd()
    : dirname(resolve(source))
}

/** Under which name a picture of a sample is asked for: the identity of where it is, or of its bytes. */
export function imageHash(source: ImageSource): string {
  return identityOf(source as unknown as Json).slice(0, 24)
}

export interface ShownOptions {
  readonly run: Pick<StoredRun, 'id' | 'source'>
  /** Longest text of a turn [UTF-16 code units]. */
  readonly maxText: number
  /** Draw the output where it is a drawing or a chart and no evidence shows it. */
  readonly draw: boolean
}

/** Where texts are previews, so are masks. */
const cornersPerCharacter = 2

export async function shownSample(found: FoundSample, options: ShownOptions): Promise<ShownSample> {
  const { position, sample, scores, key } = found
  const place = { ...options, position }
  const evidence = Object.values(scores).flatMap((score) => score.evidence ?? [])
  const { id, reference, group, meta } = sample
  return {
    run: options.run.id,
    position,
    id,
    prompt: await shownTurns(sample.prompt, place),
    output: await shownTurns(sample.output, place),
    ...(reference === undefined ? {} : { reference }),
    ...(group === undefined ? {} : { group }),
    meta: meta as JsonObject,
    scores: Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, withoutPictures(score)])),
    boxes: distinct(evidence.filter((item) => item.kind === 'box')),
    masks: shownMasks(sample, evidence, { maxCorners: options.maxText * cornersPerCharacter }),
    renders: await rendersOf(sample, evidence, options.draw),
    ...(key === undefined ? {} : { key }),
  }
}

type Place = ShownOptions & { readonly position: number }

export async function shownTurns(turns: Turns, place: Place): Promise<ShownTurns> {
  let cut = 0
  const shorten = (text: string) => {
    if (text.length <= place.maxText) return text
    cut += text.length - place.maxText
    return text.slice(0, place.maxText)
  }
  const messages: readonly Message[] | null = isDialogue(turns) ? turns : null
  const lastAssistant = messages?.findLastIndex(({ role }) => role === 'assistant') ?? -1
  const shown = messages
    ? await Promise.all(
        messages.map(
          async ({ role, name, content, toolCalls }, index): Promise<ShownMessage> => ({
            role,
            ...(name === undefined ? {} : { name }),
            parts: await shownParts(content, place, shorten),
            ...(toolCalls === undefined
              ? {}
              : { toolCalls: toolCalls.map(({ name, arguments: given }) => ({ name, arguments: given })) }),
            isJudged: index === lastAssistant,
          }),
        ),
      )
    : [{ parts: await shownParts(turns as Content, place, shorten), isJudged: true }]
  return { messages: shown, cut }
}

function shownParts(content: Content, place: Place, shorten: (text: string) => string): Promise<ShownPart[]> {
  if (typeof content === 'string') return Promise.resolve([{ type: 'text', text: shorten(content) }])
  return Promise.all(
    content.map(async (part): Promise<ShownPart> => {
      if (part.type === 'text') return { type: 'text', text: shorten(part.text) }
      if (part.type === 'json') return part
      if (part.type === 'image')
        return { type: 'image', ...(part.image ? { image: await shownImage(part.image, place) } : {}) }
      const { frames, framesPerSecond } = part
      return {
        type: 'video',
        frames: await Promise.all(frames.map((frame) => shownImage(frame, place))),
        ...(framesPerSecond === undefined ? {} : { framesPerSecond }),
      }
    }),
  )
}

const sizes = new Map<string, Promise<{ width: number; height: number } | { problem: string }>>()
const sizesKept = 5000

async function shownImage(source: ImageSource, { run, position }: Place): Promise<ShownImage> {
  if ('url' in source && !source.url.startsWith('data:'))
    return { problem: 'the picture is elsewhere on the network, and this page loads nothing from there' }
  const hash = imageHash(source)
  const baseDirectory = baseDirectoryOf(run)
  const key = `${baseDirectory}\n${hash}`
  let size = sizes.get(key)
  if (size === undefined) {
    if (sizes.size >= sizesKept) sizes.delete(sizes.keys().next().value!)
    size = probeImage(source, { baseDirectory }).then(
      ({ width, height }) => ({ width, height }),
      (error) => ({ problem: messageOf(error) }),
    )
    sizes.set(key, size)
  }
  const known = await size
  if ('problem' in known) return known
  return { url: `v1/runs/${encodeURIComponent(run.id)}/media/${position}/${hash}`, ...known }
}

/** The picture of a sample that has this hash. */
export function imageOf(sample: Sample, hash: string): ImageSource | undefined {
  return [...imagesOf(sample.prompt), ...imagesOf(sample.output)].find((source) => imageHash(source) === hash)
}

const pictureUrl = /^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/=]+$/
const svgUrl = /^data:image\/svg\+xml;base64,([A-Za-z0-9+/=]+)$/

async function rendersOf(
  sample: Sample,
  evidence: readonly Evidence[],
  draw: boolean,
): Promise<readonly Render[]> {
  const shown: Render[] = []
  for (const item of evidence) {
    if (item.kind !== 'image') continue
    const dataUrl = await safePicture(item.dataUrl)
    if (dataUrl !== undefined && !shown.some((one) => one.dataUrl === dataUrl))
      shown.push({ role: item.role, dataUrl })
  }
  return shown.length > 0 || !draw ? shown : drawings(sample)
}

/** A data address of a picture that a page may show in an <img>: bitmaps as they are, SVG drawn anew. */
async function safePicture(dataUrl: string): Promise<string | undefined> {
  if (dataUrl.length > 4_000_000) return undefined
  if (pictureUrl.test(dataUrl)) return dataUrl
  const encoded = svgUrl.exec(dataUrl)?.[1]
  if (encoded === undefined) return undefined
  const { parseSvg, writeSvg } = await import('../../rewards/verifiable/graphics/svg-document.ts')
  const { whySvgUnsafe } = await import('../../rewards/verifiable/graphics/svg-safety.ts')
  const parsed = parseSvg(Buffer.from(encoded, 'base64').toString('utf8'), {
    maxCharacters: 4_000_000,
    maxElements: 50_000,
  })
  if (!parsed.root || whySvgUnsafe(parsed.root, { maxCost: 60_000 }) !== undefined) return undefined
  return `data:image/svg+xml;base64,${Buffer.from(writeSvg(parsed.root)).toString('base64')}`
}

/** The drawing or the chart that the output holds, drawn by the renderers of the rewards, which refuse what is unsafe. */
export async function drawings(sample: Pick<Sample, 'output'>): Promise<readonly Render[]> {
  const text = textOf(sample.output)
  try {
    const document = extractSvg(text)
    if (document !== undefined) {
      const rendered = (await loadSvgRenderer())(document.svg, { pixels: 320 })
      return [
        isRendered(rendered)
          ? { role: 'drawn', dataUrl: rendered.dataUrl() }
          : { role: 'not drawn', problem: rendered.problem },
      ]
    }
    if (!text.includes('"mark"') && !text.includes('vega-lite')) return []
    const chart = readChart(sample.output)
    if (typeof chart === 'string') return []
    const rendered = await (await loadChartRenderer())(chart.spec, { pixels: 320 })
    return [
      isRendered(rendered)
        ? { role: 'drawn', dataUrl: rendered.dataUrl() }
        : { role: 'not drawn', problem: rendered.problem },
    ]
  } catch (error) {
    return [{ role: 'not drawn', problem: messageOf(error) }]
  }
}

const drawnKinds: ReadonlySet<Evidence['kind']> = new Set(['image', 'box', 'mask'])

/** Evidence that is drawn stands in `renders`, `boxes` and `masks`, safe to be shown. */
function withoutPictures(score: Score): Score {
  if (score.evidence === undefined) return score
  return { ...score, evidence: score.evidence.filter(({ kind }) => !drawnKinds.has(kind)) }
}

/** Rewards that point at the same box point at it once. */
function distinct<
  T extends {
    readonly box: readonly number[]
    readonly role: string
    readonly label?: string
    image: number
  },
>(boxes: readonly T[]): T[] {
  return [
    ...new Map(
      boxes.map((item) => [`${item.image} ${item.role} ${item.box} ${item.label ?? ''}`, item]),
    ).values(),
  ]
}
