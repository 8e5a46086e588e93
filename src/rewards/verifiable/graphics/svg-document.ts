/** An element of an SVG document. Names keep their prefix (`xlink:href`), as written. */
export interface SvgElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly SvgElement[]
  /** Character data directly inside, entities resolved; written before the children, wherever it stood. */
  readonly text: string
}

export interface SvgParseOptions {
  /** Longest source read [UTF-16 code units]. @default 200000 */
  readonly maxCharacters?: number
  /** @default 5000 */
  readonly maxElements?: number
  /** @default 64 */
  readonly maxDepth?: number
  /**
   * Mend what is not well-formed instead of refusing it: close what is open at the end or at a foreign closing tag,
   * keep attributes without quotes or value, take stray `&` and `<` as text. @default false
   */
  readonly recover?: boolean
}

export type SvgParse =
  | { readonly root: SvgElement; readonly elements: number }
  | { readonly root: undefined; readonly problem: string; readonly at: number }

interface OpenElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: OpenElement[]
  text: string
}

class Malformed extends Error {
  readonly at: number
  constructor(problem: string, at: number) {
    super(problem)
    this.at = at
  }
}

/**
 * The last complete `<svg ...>...</svg>` of a text, else everything from the last `<svg` on, trimmed; undefined when
 * there is neither. Where documents are nested the outermost counts.
 */
export function extractSvg(
  text: string,
): { readonly svg: string; readonly start: number; readonly end: number } | undefined {
  const open: number[] = []
  let last = -1
  let close = text.indexOf('>') // the first one from here on; kept, so that the search stays linear
  let found: { start: number; end: number; depth: number } | undefined
  for (const match of text.matchAll(/<svg(?=[\s>/]|$)|<\/svg\s*>/g)) {
    if (match[0][1] !== '/') {
      last = match.index
      // An opening tag that closes itself opens nothing.
      if (close >= 0 && close < match.index) close = text.indexOf('>', match.index)
      if (open.length === 0 || close < 0 || text[close - 1] !== '/') open.push(match.index)
      continue
    }
    const start = open.pop()
    // A tag that is only talked about stays open for ever: then the least deep document that closes counts.
    if (start !== undefined && (!found || open.length <= found.depth))
      found = { start, end: match.index + match[0].length, depth: open.length }
  }
  if (!found) {
    if (last < 0) return undefined
    found = { start: last, end: last + text.slice(last).trimEnd().length, depth: 0 }
  }
  const { start, end } = found
  return { svg: text.slice(start, end), start, end }
}

/**
 * Reads an SVG document into its elements, in time linear in its length. Comments and processing instructions are
 * dropped; a document type (and with it any entity of its own) is refused even when recovering, because that is
 * where entity bombs live.
 */
export function parseSvg(source: string, options: SvgParseOptions = {}): SvgParse {
  const { maxCharacters = 200_000, recover = false } = options
  if (source.length > maxCharacters)
    return { root: undefined, problem: `longer than ${maxCharacters} characters`, at: maxCharacters }
  try {
    return read(source, recover, options)
  } catch (error) {
    if (error instanceof Malformed) return { root: undefined, problem: error.message, at: error.at }
    throw error
  }
}

const attributePattern = /[\s/]*([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?/y
const tagEnd = /\s*(\/?)>/y
const namePattern = /[A-Za-z_][\w.:-]*/y

function read(
  source: string,
  recover: boolean,
  { maxElements = 5000, maxDepth = 64 }: SvgParseOptions,
): SvgParse {
  const open: OpenElement[] = []
  let root: OpenElement | undefined
  let elements = 0
  let at = 0
  const fail = (problem: string): void => {
    if (!recover) throw new Malformed(problem, at)
  }
  const addText = (text: string) => {
    const parent = open.at(-1)
    if (parent) parent.text += text
    else if (text.trim() !== '') fail('text outside of the root element')
  }
  while (at < source.length) {
    const tag = source.indexOf('<', at)
    const textEnd = tag < 0 ? source.length : tag
    if (textEnd > at) addText(decode(source.slice(at, textEnd), at, recover))
    at = textEnd
    if (tag < 0) break
    if (source.startsWith('<!--', at)) at = after(source, '-->', at + 4, recover, 'a comment is not closed')
    else if (source.startsWith('<![CDATA[', at)) {
      const end = after(source, ']]>', at + 9, recover, 'a CDATA section is not closed')
      addText(source.slice(at + 9, Math.max(at + 9, end - 3)))
      at = end
    } else if (source.startsWith('<?', at))
      at = after(source, '?>', at + 2, recover, 'an instruction is not closed')
    else if (source.startsWith('<!', at)) throw new Malformed('a document type or entity declaration', at)
    else if (source[at + 1] === '/') {
      namePattern.lastIndex = at + 2
      const name = namePattern.exec(source)?.[0] ?? ''
      const depth = open.findLastIndex((element) => element.name === name)
      if (depth !== open.length - 1 || depth < 0) fail(`</${name}> closes nothing that is open here`)
      if (depth >= 0) open.length = depth
      at = after(source, '>', at + 2, recover, 'a closing tag is not closed')
      if (root && open.length === 0 && recover) break
    } else {
      namePattern.lastIndex = at + 1
      const name = namePattern.exec(source)?.[0]
      if (name === undefined) {
        fail('a "<" that opens no tag')
        addText('<')
        at++
        continue
      }
      if (root && open.length === 0) throw new Malformed('more than one root element', at)
      if (++elements > maxElements) throw new Malformed(`more than ${maxElements} elements`, at)
      if (open.length >= maxDepth) throw new Malformed(`elements nested deeper than ${maxDepth}`, at)
      const { attributes, end, closed } = readAttributes(source, at + 1 + name.length, recover)
      const element: OpenElement = { name, attributes, children: [], text: '' }
      const parent = open.at(-1)
      if (parent) parent.children.push(element)
      else root = element
      if (!closed) open.push(element)
      at = end
    }
  }
  if (!root) throw new Malformed('no element', 0)
  if (open.length > 0) fail(`<${open.at(-1)!.name}> is not closed`)
  return { root, elements }
}

function readAttributes(source: string, from: number, recover: boolean) {
  const attributes = new Map<string, string>()
  let at = from
  for (;;) {
    tagEnd.lastIndex = at
    const ended = tagEnd.exec(source)
    if (ended) return { attributes, end: tagEnd.lastIndex, closed: ended[1] === '/' }
    attributePattern.lastIndex = at
    const match = attributePattern.exec(source)
    if (!match) {
      if (!recover) throw new Malformed('a tag that cannot be read', at)
      // What cannot be read is skipped up to the end of the tag.
      const close = source.indexOf('>', at)
      return { attributes, end: close < 0 ? source.length : close + 1, closed: source[close - 1] === '/' }
    }
    const [, name, double, single, bare] = match as unknown as [string, string, string?, string?, string?]
    const value = double ?? single
    if (value === undefined && !recover) throw new Malformed(`attribute ${name} has no value in quotes`, at)
    if (attributes.has(name) && !recover) throw new Malformed(`attribute ${name} stands twice`, at)
    if (!attributes.has(name)) attributes.set(name, decode(value ?? bare ?? '', at, recover))
    at = attributePattern.lastIndex
  }
}

function after(source: string, mark: string, from: number, recover: boolean, problem: string): number {
  const end = source.indexOf(mark, from)
  if (end >= 0) return end + mark.length
  if (!recover) throw new Malformed(problem, from)
  return source.length
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decode(text: string, at: number, recover: boolean): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]\w*));|&/gi, (match, decimal, hex, name) => {
    const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : -1
    if (code >= 0 && code <= 0x10ffff) return String.fromCodePoint(code)
    const character = name === undefined ? undefined : entities[name]
    if (character !== undefined) return character
    if (!recover) throw new Malformed(`an entity that SVG does not know: ${match}`, at)
    return match
  })
}

/**
 * The document as text again, with the namespaces that documents often forget. What is rendered is always this, never
 * the source, so that what was checked and what is rendered cannot differ.
 */
export function writeSvg(root: SvgElement): string {
  const attributes = new Map(root.attributes)
  if (!attributes.has('xmlns')) attributes.set('xmlns', 'http://www.w3.org/2000/svg')
  if (!attributes.has('xmlns:xlink')) attributes.set('xmlns:xlink', 'http://www.w3.org/1999/xlink')
  return writeElement({ ...root, attributes })
}

function writeElement({ name, attributes, children, text }: SvgElement): string {
  let written = `<${name}`
  for (const [key, value] of attributes) written += ` ${key}="${escapeMarkup(value)}"`
  if (children.length === 0 && text === '') return `${written}/>`
  written += `>${escapeMarkup(text)}`
  for (const child of children) written += writeElement(child)
  return `${written}</${name}>`
}

const markup: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' }

function escapeMarkup(text: string): string {
  // Control characters are not allowed in XML at all, not even escaped.
  return /[<>&"\u0000-\u001f\ufffe\uffff]/.test(text)
    ? text
        .replace(/[<>&"]/g, (character) => markup[character]!)
        .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    : text
}

/** Every element from `root` down, parents first; those that `enters` refuses are left out with all they hold. */
export function* elementsOf(
  root: SvgElement,
  enters: (element: SvgElement) => boolean = () => true,
): Generator<SvgElement> {
  const waiting = [root]
  for (let element = waiting.pop(); element !== undefined; element = waiting.pop()) {
    if (!enters(element)) continue
    yield element
    for (let i = element.children.length - 1; i >= 0; i--) waiting.push(element.children[i]!)
  }
}

/** The name without its prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
