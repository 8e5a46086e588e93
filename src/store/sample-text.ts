import { canonicalJson, type Sample } from '../core/index.ts'

/** Marks image bytes in the stored text; U+0000 keeps it apart from any key that a data set is likely to have. */
const bytesKey = '\u0000bytes'

/** The content of a sample (all but its id) as JSON text; `readSampleText` gives back an equal sample. */
export function sampleText({ prompt, output, reference, group, meta }: Sample): string {
  const content = { prompt, output, reference, group, meta }
  return typeof prompt === 'string' && typeof output === 'string'
    ? JSON.stringify(content)
    : JSON.stringify(content, withBytes)
}

export function readSampleText(id: string, text: string): Sample {
  const content = text.includes('\\u0000bytes') ? JSON.parse(text, readBytes) : JSON.parse(text)
  content.id = id
  return content
}

function withBytes(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key] // a Buffer's own toJSON has run before
  return original instanceof Uint8Array
    ? { [bytesKey]: Buffer.from(original.buffer, original.byteOffset, original.length).toString('base64') }
    : value
}

function readBytes(_key: string, value: unknown): unknown {
  const bytes = (value as Record<string, unknown> | null)?.[bytesKey]
  return typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes, 'base64')) : value
}

/** A number for what `groupOf` says, without its cost for prompts that are not text. */
export function groupHash({ group, prompt }: Sample): number {
  return textHash(group ?? (typeof prompt === 'string' ? prompt : canonicalJson(prompt)))
}

/** 53 bits of a text, for telling groups apart: two FNV-like lanes over UTF-16 code units. */
export function textHash(text: string): number {
  let a = 0x811c9dc5
  let b = 0x9e3779b9
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x85ebca6b)
    b ^= b >>> 15
  }
  a = Math.imul(a ^ (a >>> 16), 0xc2b2ae35)
  a ^= a >>> 13
  b = Math.imul(b ^ (b >>> 13), 0x27d4eb2f)
  b ^= b >>> 16
  return (a & 0x1fffff) * 0x100000000 + (b >>> 0)
}

/** Whether a sample says a text, as `SampleFilter.text` has it; `lower` in lower case. */
export function sampleSays({ id, prompt, output, reference, group, meta }: Sample, lower: string): boolean {
  const says = (value: unknown): boolean => {
    if (typeof value === 'string') return value.toLowerCase().includes(lower)
    if (typeof value === 'number' || typeof value === 'boolean') return String(value).includes(lower)
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return false
    return Object.values(value).some(says)
  }
  return [id, group, prompt, output, reference, meta].some(says)
}
