import {
  type Content,
  type Evidence,
  type ImageSource,
  imagesOf,
  isDialogue,
  type Part,
  type Score,
  type ScoredSample,
  type Turns,
} from '../../core/index.ts'
import { type Html, html, Html as Markup } from './html.ts'

/** An image made ready for a page: its pixels' size and a data URL (possibly of a smaller copy). */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly dataUrl: string
}

export interface SampleViewOptions {
  /** Range of each reward, for its bar. */
  readonly ranges: Readonly<Record<string, readonly [number, number]>>
  /** Reads an image, or says why it cannot be shown. */
  readonly picture: (source: ImageSource) => Promise<Picture | string>
  /** Why this sample is shown here, such as "rank 1 by toolrl, rank 4 by quality". */
  readonly note?: string
  /** Longest text shown [UTF-16 code units]; the rest is counted. @default 4000 */
  readonly maxText?: number
}

/** One sample as a card: prompt, output with marked spans, images with boxes, every score with its parts. */
export async function sampleCard(
  { sample, scores }: ScoredSample,
  rank: number,
  options: SampleViewOptions,
): Promise<Html> {
  const maxText = options.maxText ?? 4000
  const evidence = Object.values(scores).flatMap((score) => score.evidence ?? [])
  const spans = (where: 'prompt' | 'output') =>
    evidence.filter((item) => item.kind === 'span').filter((item) => item.in === where)
  const boxes = distinct(evidence.filter((item) => item.kind === 'box'))
  const renders = evidence.filter((item) => item.kind === 'image')
  const data = Object.entries(scores).map(
    ([name, { value }]) => new Markup(` data-${dataKey(name)}="${value === null ? '' : value}"`),
  )
  const pictures = await picturesOf([sample.prompt, sample.output], boxes, options.picture)
  const kind = typeof sample.meta.kind === 'string' ? sample.meta.kind : ''
  return html`<article data-rank="${rank}" data-kind="${kind}"${data}>
<h3><span>${sample.id}</span>${kind && html`<span class="soft">${kind}</span>`}</h3>
${options.note && html`<p class="why">${options.note}</p>`}
<details><summary>prompt</summary>${turnsView(sample.prompt, spans('prompt'), maxText)}</details>
${turnsView(sample.output, spans('output'), maxText)}
${pictures.length + renders.length > 0 && html`<div class="pictures">${pictures}${renders.map(renderFigure)}</div>`}
${scoresView(scores, options.ranges)}
${sample.reference !== undefined && html`<details><summary>reference</summary><pre>${shorten(pretty(sample.reference), maxText)}</pre></details>`}
</article>`
}

/** The pictures of prompts and outputs in order, with boxes drawn on them. */
export function picturesOf(
  turns: readonly Turns[],
  boxes: readonly Extract<Evidence, { kind: 'box' }>[],
  picture: SampleViewOptions['picture'],
): Promise<Html[]> {
  return Promise.all(
    turns.flatMap(imagesOf).map(async (source, index) =>
      pictureFigure(
        await picture(source),
        boxes.filter(({ image }) => image === index),
      ),
    ),
  )
}

/** The key under which the page's script finds a reward's value (`dataset` wants camel case without dashes). */
export function dataKey(name: string): string {
  return `s${Buffer.from(name).toString('hex')}`
}

function scoresView(scores: Readonly<Record<string, Score>>, ranges: SampleViewOptions['ranges']): Html {
  return html`<table>${Object.entries(scores).map(([name, score]) => {
    const [low, high] = ranges[name] ?? [0, 1]
    const share =
      score.value !== null && Number.isFinite(high - low) && high > low
        ? (score.value - low) / (high - low)
        : null
    return html`<tr><td>${name}</td><td class="n">${
      score.value === null
        ? html`<span class="null" title="${score.reason}">${score.code}</span>`
        : short(score.value)
    }</td><td>${share !== null && html`<span class="bar"><i style="width:${(100 * share).toFixed(0)}%"></i></span>`}</td><td class="soft">${
      score.value === null
        ? score.reason
        : Object.entries(score.parts ?? {})
            .map(([part, value]) => `${part} ${value === null ? 'unscored' : short(value)}`)
            .join(', ')
    }${score.rationale && html`<div>${score.rationale}</div>`}</td></tr>`
  })}</table>`
}

/** A prompt or an output as text, marked where evidence says so; pictures stand elsewhere. */
export function turnsView(
  turns: Turns,
  spans: readonly Extract<Evidence, { kind: 'span' }>[],
  maxText: number,
): Html {
  if (!isDialogue(turns)) return contentView(turns as Content, spans, maxText)
  const lastAssistant = turns.findLastIndex(({ role }) => role === 'assistant')
  return html`${turns.map(
    (message, index) =>
      html`<p class="soft">${message.role}</p>${contentView(message.content, index === lastAssistant ? spans : [], maxText)}${
        message.toolCalls && html`<pre>${shorten(pretty(message.toolCalls), maxText)}</pre>`
      }`,
  )}`
}

function contentView(
  content: Content,
  spans: readonly Extract<Evidence, { kind: 'span' }>[],
  maxText: number,
): Html {
  if (typeof content === 'string') return html`<pre>${marked(content, spans, maxText)}</pre>`
  let offset = 0
  return html`${content.map((part: Part) => {
    if (part.type === 'json') return html`<pre>${shorten(pretty(part.json), maxText)}</pre>`
    if (part.type !== 'text') return null // images stand together below
    const start = offset
    offset += part.text.length
    const inside = spans
      .filter((span) => span.start >= start && span.end <= offset)
      .map((span) => ({ ...span, start: span.start - start, end: span.end - start }))
    return html`<pre>${marked(part.text, inside, maxText)}</pre>`
  })}`
}

/** Text with its spans marked; overlapping spans after the first are left out. */
function marked(text: string, spans: readonly Extract<Evidence, { kind: 'span' }>[], maxText: number): Html {
  const pieces: (Html | string)[] = []
  let at = 0
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (span.start < at || span.end <= span.start || span.end > Math.min(text.length, maxText)) continue
    const tone = span.good === undefined ? '' : span.good ? 'good' : 'bad'
    pieces.push(
      text.slice(at, span.start),
      html`<mark class="${tone}" title="${span.label ?? ''}">${text.slice(span.start, span.end)}</mark>`,
    )
    at = span.end
  }
  pieces.push(shorten(text.slice(at), Math.max(0, maxText - at)))
  return html`${pieces}`
}

/** Rewards that draw the same box draw it once. */
function distinct<
  T extends { readonly box: readonly number[]; readonly role: string; readonly label?: string },
>(boxes: readonly T[]): T[] {
  return [...new Map(boxes.map((item) => [`${item.role} ${item.box} ${item.label ?? ''}`, item])).values()]
}

const boxColours = { reference: '#12a150', predicted: '#3557d5', wrong: '#d92d20' }

function pictureFigure(
  picture: Picture | string,
  boxes: readonly Extract<Evidence, { kind: 'box' }>[],
): Html {
  if (typeof picture === 'string') return html`<p class="null">image not shown: ${picture}</p>`
  const { width, height, dataUrl } = picture
  const line = Math.max(1, Math.max(width, height) / 180)
  const size = 7 * line
  // A found thing is labelled once, where it was predicted.
  const predicted = new Set(boxes.filter(({ role }) => role === 'predicted').map(({ label }) => label))
  return html`<figure class="picture"><svg viewBox="0 0 ${width} ${height}" width="${Math.min(380, width)}" role="img" aria-label="image with ${boxes.length} boxes"><image href="${dataUrl}" width="${width}" height="${height}"/>${boxes.map(
    ({ box: [x1, y1, x2, y2], role, good, label }) => {
      const colour =
        role === 'reference' ? boxColours.reference : good === false ? boxColours.wrong : boxColours.predicted
      return html`<rect x="${x1}" y="${y1}" width="${Math.max(0, x2 - x1)}" height="${Math.max(0, y2 - y1)}" fill="none" stroke="${colour}" stroke-width="${line}"${role === 'reference' && new Markup(` stroke-dasharray="${3 * line} ${2 * line}"`)}/>${
        label &&
        !(role === 'reference' && predicted.has(label)) &&
        html`<text x="${x1 + line}" y="${Math.max(size, y1 - line)}" font-size="${size}" fill="${colour}" font-family="sans-serif">${label}</text>`
      }`
    },
  )}</svg>${boxes.length > 0 && html`<figcaption>dashed green: reference; blue: predicted; red: predicted and wrong</figcaption>`}</figure>`
}

function renderFigure({ dataUrl, role }: Extract<Evidence, { kind: 'image' }>): Html | null {
  if (!/^data:image\/(png|jpeg|webp|svg\+xml)[;,]/.test(dataUrl)) return null
  return html`<figure class="picture"><img src="${dataUrl}" alt="${role}" width="180"><figcaption>${role}</figcaption></figure>`
}

function shorten(text: string, limit: number): string {
  return text.length <= limit
    ? text
    : `${text.slice(0, limit)} … (${(text.length - limit).toLocaleString('en')} more characters)`
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 1)
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3)
}
