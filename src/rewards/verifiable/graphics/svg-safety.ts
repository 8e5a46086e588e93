import { elementsOf, localName, type SvgElement } from './svg-document.ts'

export interface SvgSafetyOptions {
  /** Whether text elements may occur. A policy rewarded for similarity to a caption learns to write the caption. @default 'allow' */
  readonly text?: 'allow' | 'refuse'
  /**
   * What drawing may cost: elements + path segments, each as often as references (use, clip paths, masks, patterns,
   * markers) repeat it, 20 for each clip path, mask or pattern that is applied. 10,000 take a second at worst.
   * @default 10000
   */
  readonly maxCost?: number
  /** Size of the picture [pixels, longer side], for what depends on it. @default 224 */
  readonly pixels?: number
}

const refusedElements = new Map([
  ['script', 'a script'],
  ['foreignObject', 'foreign content'],
  ['iframe', 'foreign content'],
  ['image', 'an embedded or external image'],
  ['feImage', 'an embedded or external image'],
  // The renderer allocates whatever a filter's region says, and aborts the process when it cannot.
  ['filter', 'a filter'],
  ['audio', 'a medium'],
  ['video', 'a medium'],
  ['handler', 'a script'],
  ['listener', 'a script'],
])
const textElements = new Set(['text', 'tspan', 'textPath', 'tref'])
const references = [
  'fill',
  'stroke',
  'clip-path',
  'mask',
  'marker',
  'marker-start',
  'marker-mid',
  'marker-end',
] as const
const layers = new Set(['clipPath', 'mask', 'pattern'])
const deepestReference = 96
/** What must stand on the elements themselves, where costs are counted. */
const structural =
  /(?:^|[{;\s])(?:transform|marker[\w-]*|clip-path|mask|stroke-dasharray|d|width|height|x|y|r|rx|ry|cx|cy|href)\s*:/i

/**
 * Why a document is not to be rendered: it runs or loads something, or may cost the renderer unbounded time or
 * memory. Undefined when it is safe. Takes time linear in the document.
 */
export function whySvgUnsafe(root: SvgElement, options: SvgSafetyOptions = {}): string | undefined {
  const { text = 'allow', maxCost = 10_000, pixels = 224 } = options
  const byId = new Map<string, SvgElement>()
  const painted = new Set<string>()
  let styleCharacters = 0
  let elements = 0
  for (const element of elementsOf(root)) {
    elements++
    const name = localName(element.name)
    const refused = refusedElements.get(name)
    if (refused !== undefined) return `holds ${refused} (<${name}>)`
    if (text === 'refuse' && textElements.has(name)) return `writes text (<${name}>)`
    if (name === 'style') {
      styleCharacters += element.text.length
      const problem =
        unsafeStyle(element.text) ??
        (structural.test(element.text) ? 'has a style sheet that does more than paint' : undefined)
      if (problem) return problem
      for (const match of element.text.matchAll(/url\s*\(\s*["']?#([^"')\s]+)/g)) painted.add(match[1]!)
    }
    for (const [key, value] of element.attributes) {
      const problem = unsafeAttribute(localName(key), value)
      if (problem) return problem
    }
    const id = element.attributes.get('id')
    if (id !== undefined && !byId.has(id)) byId.set(id, element)
  }
  // Every rule is tried on every element.
  if (styleCharacters * elements > 2e7) return 'has too many style rules for its elements'
  for (const id of painted) {
    const target = byId.get(id)
    if (target && !localName(target.name).endsWith('Gradient'))
      return 'has a style sheet that does more than paint'
  }
  const { problem, dashes } = sizes(root, pixels)
  return problem ?? costProblem(root, byId, dashes, maxCost)
}

function unsafeAttribute(name: string, value: string): string | undefined {
  if (/^on[a-z]/i.test(name)) return `runs a script (${name})`
  if (name === 'href' || name === 'src') {
    if (!value.trim().startsWith('#')) return `links to something outside of itself (${value.slice(0, 60)})`
  } else if (name === 'filter') return value.trim() === 'none' ? undefined : 'applies a filter'
  else if (name === 'base') return 'links to something outside of itself (xml:base)'
  return value.includes('(') || name === 'style' ? unsafeStyle(value) : undefined
}

/** For style sheets and for values: an address that is not within the document, an import, a filter. */
function unsafeStyle(style: string): string | undefined {
  if (style.includes('\\') || style.includes('/*'))
    style = style.replace(/\\/g, '').replace(/\/\*[\s\S]*?(?:\*\/|$)/g, '')
  if (/@import/i.test(style)) return 'imports a style sheet'
  if (/url\s*\((?!\s*["']?\s*#)/i.test(style)) return 'links to something outside of itself (url)'
  if (/(?:^|[^-\w])filter\s*:(?!\s*none)/i.test(style)) return 'applies a filter'
  return undefined
}

interface Box {
  readonly width: number
  readonly height: number
}

/** Width and height of a document in its own units: of its view box, else its attributes; undefined for neither. */
function documentBox(root: SvgElement): Box | undefined {
  const box = numbersOf(root.attributes.get('viewBox'))
  if (box.length === 4 && box[2]! > 0 && box[3]! > 0) return { width: box[2]!, height: box[3]! }
  const [width] = numbersOf(root.attributes.get('width'))
  const [height] = numbersOf(root.attributes.get('height'))
  return width && height && width > 0 && height > 0 ? { width, height } : undefined
}

const drawn = 4096

/**
 * Refuses patterns whose tiles, which are allocated at their size on the canvas, are too large; and counts for each
 * element the dashes that its outline is drawn with.
 */
function sizes(root: SvgElement, pixels: number) {
  const box = documentBox(root)
  const scale = pixels / (box ? Math.max(box.width, box.height) : 100)
  let largestScale = scale
  let largestExtent = 0
  let shortestDash: number | undefined
  let reuses = false
  const patterns: SvgElement[] = []
  const dashed: { element: SvgElement; length: number; dash: number | undefined }[] = []
  const walk = (element: SvgElement, inherited: number, inheritedDash: number | undefined): void => {
    const own = inherited * ownScale(element, element === root ? undefined : box)
    largestScale = Math.max(largestScale, own)
    const name = localName(element.name)
    if (name === 'pattern') patterns.push(element)
    if (name === 'use') reuses = true
    const lengths = numbersOf(attributesOf(element).get('stroke-dasharray'))
    const sum = lengths.reduce((total, length) => total + Math.abs(length), 0)
    const dash = sum > 0 ? sum : inheritedDash
    if (dash !== undefined) shortestDash = Math.min(shortestDash ?? dash, dash)
    const { extent, length } = geometry(element)
    largestExtent = Math.max(largestExtent, extent * own)
    if (length > 0) dashed.push({ element, length, dash })
    for (const child of element.children) walk(child, own, dash)
  }
  walk(root, scale, undefined)
  const dashes = new Map<SvgElement, number>()
  for (const { element, length, dash } of dashed) {
    // What <use> draws inherits its dashes from there.
    const shortest = reuses ? shortestDash : dash
    if (shortest !== undefined) dashes.set(element, length / shortest)
  }
  return {
    problem: patterns
      .map((pattern) => patternProblem(pattern, largestScale, largestScale / scale, largestExtent))
      .find(Boolean),
    dashes,
  }
}

/** `placed`: a reference may carry an element into a place that is scaled as much again. */
function patternProblem(
  pattern: SvgElement,
  scale: number,
  placed: number,
  extent: number,
): string | undefined {
  if (
    elementsIn(pattern).some(({ attributes }) =>
      [...attributes.values()].some((value) => value.includes('url(')),
    )
  )
    return 'nests patterns or masks in a pattern'
  const attributes = attributesOf(pattern)
  for (const side of ['width', 'height']) {
    const [size = 0] = numbersOf(attributes.get(side))
    const share = attributes.get(side)?.includes('%') ? size / 100 : size
    const tile = attributes.get('patternUnits') === 'userSpaceOnUse' ? size * scale : share * extent
    if (tile * placed > drawn) return 'has a pattern whose tiles are too large'
  }
  // Units and sizes may also come from another pattern, which is checked itself; but not mixed from two.
  return [...attributes.keys()].some((key) => localName(key) === 'href')
    ? 'has a pattern that takes after another'
    : undefined
}

/** The attributes, those that stand in `style` over those that do not. */
function attributesOf({ attributes }: SvgElement): ReadonlyMap<string, string> {
  const style = attributes.get('style')
  if (style === undefined) return attributes
  const merged = new Map(attributes)
  for (const declaration of style.split(';')) {
    const colon = declaration.indexOf(':')
    if (colon > 0)
      merged.set(declaration.slice(0, colon).trim().toLowerCase(), declaration.slice(colon + 1).trim())
  }
  return merged
}

function elementsIn(element: SvgElement): SvgElement[] {
  return [...elementsOf(element)].slice(1)
}

/** Upper bound of what an element multiplies lengths inside it by. */
function ownScale(element: SvgElement, outer: Box | undefined): number {
  const attributes = attributesOf(element)
  let scale = 1
  for (const key of ['transform', 'patternTransform', 'gradientTransform']) {
    const transform = attributes.get(key)
    if (transform === undefined) continue
    for (const match of transform.matchAll(/(matrix|scale|skewX|skewY)\s*\(([^)]*)\)/g)) {
      const numbers = numbersOf(match[2])
      if (match[1] === 'scale') scale *= Math.max(1, ...numbers.map(Math.abs))
      else if (match[1] === 'matrix')
        scale *= Math.max(
          1,
          Math.hypot(numbers[0] ?? 1, numbers[1] ?? 0) + Math.hypot(numbers[2] ?? 0, numbers[3] ?? 1),
        )
      else scale *= 1 + Math.min(1000, Math.abs(Math.tan(((numbers[0] ?? 0) * Math.PI) / 180)))
    }
  }
  const box = numbersOf(attributes.get('viewBox'))
  if (outer && box.length === 4 && box[2]! > 0 && box[3]! > 0)
    scale *= Math.max(1, outer.width / box[2]!, outer.height / box[3]!)
  return scale
}

const geometric = ['x', 'y', 'width', 'height', 'cx', 'cy', 'r', 'rx', 'ry', 'x1', 'y1', 'x2', 'y2'] as const

/** Upper bounds: how far an element reaches from its origin, how long its outline is; and of how many pieces it is. */
function geometry(element: SvgElement): { extent: number; length: number; segments: number } {
  const attributes = attributesOf(element)
  let extent = 0
  for (const key of geometric) {
    const value = attributes.get(key)
    if (value !== undefined) extent += Math.abs(numbersOf(value)[0] ?? 0)
  }
  const outline = attributes.get('d') ?? attributes.get('points')
  if (outline === undefined) return { extent, length: 4 * extent, segments: 0 }
  const numbers = numbersOf(outline)
  const segments = Math.ceil(numbers.length / 2)
  let sum = 0
  let largest = 0
  for (const number of numbers) {
    sum += Math.abs(number)
    largest = Math.max(largest, Math.abs(number))
  }
  const reach = /[a-z]/.test(outline) ? sum : largest
  return { extent: extent + reach, length: 4 * extent + 2 * Math.max(sum, largest), segments }
}

function numbersOf(text: string | undefined): number[] {
  return text?.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g)?.map(Number) ?? []
}

/** Elements and segments, each as often as references draw it; a reference to an element that holds it is refused. */
function costProblem(
  root: SvgElement,
  byId: ReadonlyMap<string, SvgElement>,
  dashes: ReadonlyMap<SvgElement, number>,
  maxCost: number,
): string | undefined {
  const costs = new Map<SvgElement, number>()
  let problem: string | undefined
  const costOf = (element: SvgElement, path: readonly SvgElement[]): number => {
    const known = costs.get(element)
    if (known !== undefined) return known
    if (path.includes(element)) {
      problem ??= 'refers to itself'
      return 0
    }
    const { segments } = geometry(element)
    let cost = 1 + segments + (dashes.get(element) ?? 0) / 10
    for (const child of element.children) cost += costOf(child, [...path, element])
    for (const { id, times } of referencesOf(element, segments)) {
      const target = byId.get(id)
      if (!target) continue
      if (path.length > deepestReference) problem ??= 'nests references too deeply'
      else cost += times * costOf(target, [...path, element]) + (layers.has(localName(target.name)) ? 20 : 0)
    }
    costs.set(element, cost)
    return cost
  }
  const cost = costOf(root, [])
  return (
    problem ??
    (cost > maxCost
      ? `would draw ${cost > 1e9 ? 'billions of' : Math.round(cost)} shapes and segments`
      : undefined)
  )
}

function* referencesOf(element: SvgElement, segments: number) {
  const attributes = attributesOf(element)
  const href = attributes.get('href') ?? attributes.get('xlink:href')
  if (href?.startsWith('#')) yield { id: href.slice(1), times: 1 }
  for (const key of references) {
    const id = /url\s*\(\s*["']?\s*#([^"')\s]+)/.exec(attributes.get(key) ?? '')?.[1]
    if (id !== undefined) yield { id, times: key.startsWith('marker') ? segments + 2 : 1 }
  }
}
