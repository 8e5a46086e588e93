import type { Score, UnscoredCode, Usage } from '../core/index.ts'

/** A character that no text is supposed to hold (a "noncharacter" of Unicode) marks what PostgreSQL cannot store. */
const mark = '\ufdd0'

/** A text as PostgreSQL can hold it: U+0000 and halves of surrogate pairs are written in another way. */
export function storable(text: string): string {
  if (text.isWellFormed() && !/[\0\ufdd0]/.test(text)) return text
  return text.replace(/[\0\ufdd0]|\p{Surrogate}/gu, marked)
}

/** The text that `storable` was given. */
export function restored(text: string): string {
  return text.includes(mark)
    ? text.replace(/\ufdd0([0-9a-f]{4})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
    : text
}

/** JSON that PostgreSQL can read as `jsonb`: as `storable`, inside the texts of the JSON. */
export function storableJson(value: unknown): string {
  return storableJsonText(JSON.stringify(value))
}

export function storableJsonText(json: string): string {
  if (!json.includes('\\u0000') && !json.includes('\\ud') && !json.includes(mark)) return json
  return json.replace(/\ufdd0|\\(?:u([0-9a-f]{4})|.)/g, (found, digits) => {
    if (found === mark) return marked(mark)
    const isMissing = digits === '0000' || /^d[89a-f]/.test(digits ?? '')
    return isMissing ? mark + digits : found
  })
}

export function restoredJson(json: string) {
  return JSON.parse(restoredJsonText(json))
}

/** The JSON text that `storableJsonText` was given. */
export function restoredJsonText(json: string): string {
  return json.includes(mark)
    ? json.replace(/\ufdd0([0-9a-f]{4})/g, (_, digits) => (digits === 'fdd0' ? mark : `\\u${digits}`))
    : json
}

function marked(character: string): string {
  return mark + character.charCodeAt(0).toString(16).padStart(4, '0')
}

/** An array of numbers (or booleans) as PostgreSQL reads it. */
export function numbersArray(values: readonly (number | boolean | null)[]): string {
  return `{${values.map((value) => (value === 0 && 1 / value < 0 ? '-0' : (value ?? 'NULL'))).join(',')}}`
}

/** An array of texts, which must be storable, as PostgreSQL reads it. */
export function textsArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`
}

export interface PostgresScoreRow {
  readonly reward: number
  readonly position: number
  readonly value: number | null
  readonly abstained: boolean | null
  readonly code: UnscoredCode | null
  readonly parts: string | null
  readonly usage: Usage | null
  readonly details: string | null
}

/** A score as a row, without its place. */
export function scoreColumns(score: Score): Omit<PostgresScoreRow, 'reward' | 'position' | 'usage'> & {
  readonly usage: string | null
} {
  const { value, parts, usage, uncertainty, rationale, evidence, meta } = score
  const failed = value === null ? score : undefined
  const rest = { reason: failed?.reason, uncertainty, rationale, evidence, meta }
  return {
    value,
    abstained: failed?.abstained ? true : null,
    code: failed?.code ?? null,
    parts: parts === undefined ? null : storableJson(parts),
    usage: usage === undefined ? null : JSON.stringify(usage),
    details: Object.values(rest).every((one) => one === undefined) ? null : storableJson(rest),
  }
}

export function scoreOfRow({ value, abstained, code, parts, usage, details }: PostgresScoreRow): Score {
  if (value !== null && parts === null && details === null && usage === null) return { value } // most are
  const { reason = '', ...rest } = details === null ? {} : restoredJson(details)
  const common = {
    ...(parts === null ? {} : { parts: restoredJson(parts) }),
    ...(usage === null ? {} : { usage }),
    ...rest,
  }
  return value === null
    ? { value, code: code!, reason, ...(abstained ? { abstained: true } : {}), ...common }
    : { value, ...common }
}
