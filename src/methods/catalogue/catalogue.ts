import { GuerdonError, nearest } from '../../core/index.ts'
import type { Method } from '../method.ts'
import { methods } from '../registry.ts'
import { type ReproductionSummary, readSummaries } from '../reproduce/verdicts.ts'
import { type CatalogueEntry, entries, type World } from './entries.ts'
import { type AxisName, axisNames, type Leaf, type LeafOf, type Tags, taxonomy } from './taxonomy.ts'

/** How far a system is: planned, working as a component, or run against its claim with what verdict. */
export type CatalogueStatus = 'planned' | 'component' | 'reproduced' | 'not reproduced at this scale'

export interface CatalogueQuery {
  /** Words of name, title, id, paper and tags; each must be found somewhere. */
  readonly text?: string
  /** On every axis named, an entry has at least one of the leaves. */
  readonly tags?: Tags
  readonly world?: World
  readonly status?: CatalogueStatus
}

/** What works of a system: nothing, or its method with its rewards. */
export function methodOf(entry: CatalogueEntry): Method | undefined {
  return methods.find(({ number }) => number === entry.number)
}

/** By the methods there are and the results in `reproductions/`; an invalid set-up shows nothing. */
export function statusOf(entry: CatalogueEntry): CatalogueStatus {
  verdicts ??= new Map(readSummaries().map(({ id, verdict }) => [id, verdict]))
  const verdict = verdicts.get(entry.id)
  if (verdict === 'reproduced' || verdict === 'not reproduced at this scale') return verdict
  return methodOf(entry) ? 'component' : 'planned'
}

let verdicts: ReadonlyMap<string, ReproductionSummary['verdict']> | undefined

/** Entries in the order of their numbers; all 88 without a query. */
export function catalogue(query: CatalogueQuery = {}): readonly CatalogueEntry[] {
  const words = (query.text ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const wanted = Object.entries(query.tags ?? {}) as [AxisName, readonly string[]][]
  for (const [axis, leaves] of wanted) for (const leaf of leaves) requireLeaf(axis, leaf)
  return entries.filter((entry) => {
    const text = searchText(entry)
    return (
      words.every((word) => text.includes(word)) &&
      wanted.every(([axis, leaves]) => leaves.some((leaf) => leavesOf(entry, axis).includes(leaf))) &&
      (query.world === undefined || entry.worlds.includes(query.world)) &&
      (query.status === undefined || statusOf(entry) === query.status)
    )
  })
}

/** The entry of that id or number (`toolrl`, `77`). Throws `unknown-method`. */
export function catalogueEntry(name: string): CatalogueEntry {
  const found = entries.find(({ id, number }) => id === name.toLowerCase() || String(number) === name)
  if (found) return found
  const near = [
    nearest(
      name,
      entries.map(({ id }) => id),
    ) ?? catalogue({ text: name }).map(({ id }) => id),
  ].flat()
  throw new GuerdonError('unknown-method', `the catalogue has no published system "${name}".`, {
    fix:
      near.length > 0
        ? `Did you mean ${near.slice(0, 5).join(', ')}?`
        : '"guerdon methods" lists all of them.',
  })
}

/** Leaves without a component, in the order of the axes. */
export function gaps(): readonly { readonly axis: AxisName; readonly leaf: Leaf }[] {
  return axisNames.flatMap((axis) =>
    leaves(axis)
      .filter(({ components }) => components.length === 0)
      .map((leaf) => ({ axis, leaf })),
  )
}

/** How many systems stand at each pair of leaves of two axes; rows are leaves of the first. */
export function coverage<Row extends AxisName, Column extends AxisName>(
  row: Row,
  column: Column,
): readonly { readonly row: LeafOf<Row>; readonly counts: Readonly<Record<LeafOf<Column>, number>> }[] {
  return leaves(row).map(({ id }) => ({
    row: id as LeafOf<Row>,
    counts: Object.fromEntries(
      leaves(column).map((other) => [
        other.id,
        entries.filter(
          (entry) => leavesOf(entry, row).includes(id) && leavesOf(entry, column).includes(other.id),
        ).length,
      ]),
    ) as Record<LeafOf<Column>, number>,
  }))
}

export function leaves(axis: AxisName): readonly Leaf[] {
  return taxonomy[axis].leaves
}

export function leavesOf(entry: CatalogueEntry, axis: AxisName): readonly string[] {
  return entry.tags[axis] ?? []
}

function requireLeaf(axis: string, leaf: string): void {
  if (!(axisNames as readonly string[]).includes(axis))
    throw new GuerdonError('unknown-tag', `the catalogue has no axis "${axis}".`, {
      fix: `Choose from ${axisNames.join(', ')}.`,
    })
  const names = leaves(axis as AxisName).map(({ id }) => id)
  if (!names.includes(leaf))
    throw new GuerdonError('unknown-tag', `the axis "${axis}" has no leaf "${leaf}".`, {
      fix: `Choose from ${names.join(', ')}.`,
    })
}

function searchText(entry: CatalogueEntry): string {
  const tags = axisNames.flatMap((axis) =>
    leaves(axis)
      .filter(({ id }) => leavesOf(entry, axis).includes(id))
      .flatMap(({ id, title }) => [id, title]),
  )
  return [entry.number, entry.id, entry.name, entry.title, entry.paper, ...tags].join(' ').toLowerCase()
}
