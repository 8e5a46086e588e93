import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ImageSource, Json, JsonObject, Part, Sample, Turns } from '../../core/index.ts'
import { promptText } from '../../core/index.ts'
import type { Reading } from '../../data/conventions/convention.ts'
import { samplesOf } from '../../data/conventions/convention.ts'
import type { Row } from '../../data/row.ts'
import type { BestOfItem, PreferenceItem } from './benchmark.ts'

export interface PairParts {
  readonly id: string
  readonly subset: string
  /** @default the text of the prompt */
  readonly cluster?: string
  readonly prompt: Turns
  readonly a: Turns
  readonly b: Turns
  readonly label: number
  readonly reference?: Json | undefined
  readonly meta?: JsonObject
}

/** A pair as an item: its samples are `ID#a` and `ID#b`, a group of their own. */
export function pairItem({
  id,
  subset,
  cluster,
  prompt,
  a,
  b,
  label,
  reference,
  meta = {},
}: PairParts): PreferenceItem {
  const sample = (side: 'a' | 'b', output: Turns): Sample => ({
    id: `${id}#${side}`,
    prompt,
    output,
    group: id,
    ...(reference === undefined ? {} : { reference }),
    meta,
  })
  return {
    kind: 'preference',
    id,
    subset,
    cluster: cluster ?? promptText(prompt),
    a: sample('a', a),
    b: sample('b', b),
    label,
    meta,
  }
}

/** The pair that a row of any convention states first: a is the chosen answer. None where it states none. */
export function pairsOfReading(reading: Reading, subset: string): PreferenceItem[] {
  const [ordering] = reading.orderings ?? []
  if (ordering === undefined) return []
  const samples = samplesOf({ ...reading, several: true })
  const [a, b] = [samples[ordering.chosen]!, samples[ordering.rejected]!]
  const cluster = promptText(a.prompt)
  const label = ordering.margin ?? 1
  return [{ kind: 'preference', id: reading.id, subset, cluster, a, b, label, meta: reading.meta }]
}

/** All candidates of a row as one item; those of `meta.label` "chosen" are right. */
export function bestOfReading(reading: Reading, subset: string): BestOfItem {
  const candidates = samplesOf({ ...reading, several: true })
  return {
    kind: 'best-of',
    id: reading.id,
    subset,
    cluster: promptText(reading.prompt),
    candidates,
    correct: candidates.map(({ meta }) => meta.label === 'chosen'),
    meta: reading.meta,
  }
}

/** A question with a picture where the picture lies beside the data (`images/NAME` or `NAME`), else the question alone. */
export function withPicture(text: string, row: Row, name: string): string | readonly Part[] {
  const folder = dirname(row.file)
  const path = [join(folder, 'images', name), join(folder, name)].find((place) =>
    filesIn(dirname(place)).has(basename(place)),
  )
  return path === undefined ? text : pictured(text, { path })
}

const listings = new Map<string, ReadonlySet<string>>()

/** Names in a folder, read once; none where there is no such folder. */
function filesIn(folder: string): ReadonlySet<string> {
  let names = listings.get(folder)
  if (names === undefined) {
    names = new Set(existsSync(folder) ? readdirSync(folder) : [])
    listings.set(folder, names)
  }
  return names
}

export function pictured(text: string, image: ImageSource): readonly Part[] {
  return [
    { type: 'image', image },
    { type: 'text', text },
  ]
}
