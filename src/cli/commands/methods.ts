import { GuerdonError } from '../../core/index.ts'
import {
  type CatalogueStatus,
  catalogue,
  catalogueEntry,
  coverage,
  gaps,
  leavesOf,
  methodOf,
  statusOf,
} from '../../methods/catalogue/catalogue.ts'
import type { CatalogueEntry, World } from '../../methods/catalogue/entries.ts'
import { type AxisName, axisNames, type Tags, taxonomy } from '../../methods/catalogue/taxonomy.ts'
import type { GlobalOptions } from '../session.ts'
import { counted, table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface MethodsOptions extends GlobalOptions {
  readonly tag?: readonly string[]
  readonly world?: World
  readonly status?: CatalogueStatus
  readonly gaps?: boolean
  readonly coverage?: readonly string[]
}

/** `guerdon methods`: the catalogue of published systems; `guerdon methods show ID`: one of them. */
export async function methodsCommand(
  words: readonly string[],
  options: MethodsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (options.gaps) return printGaps(options, terminal)
  if (options.coverage) return printCoverage(options.coverage, options, terminal)
  if (words[0] === 'show') return show(catalogueEntry(words.slice(1).join(' ')), options, terminal)
  const text = (words[0] === 'list' ? words.slice(1) : words).join(' ')
  const found = catalogue({
    text,
    tags: tagsOf(options.tag ?? []),
    ...(options.world === undefined ? {} : { world: options.world }),
    ...(options.status === undefined ? {} : { status: options.status }),
  })
  if (options.json) {
    terminal.result(JSON.stringify(found.map((entry) => ({ ...entry, status: statusOf(entry) }))))
    return 0
  }
  for (const line of table(
    ['system', 'no.', 'status', 'worlds', 'what it is', 'paper'],
    found.map((entry) => [
      entry.id,
      String(entry.number),
      statusOf(entry),
      entry.worlds.join(' '),
      leavesOf(entry, 'kind').join(', '),
      entry.paper,
    ]),
  ))
    terminal.result(line)
  const working = found.filter((entry) => statusOf(entry) !== 'planned').length
  terminal.note(
    `\n${counted(found.length, 'system')}, ${working} of them working; "guerdon methods show ID" describes one, ` +
      '"guerdon methods judge images" searches, --tag AXIS=LEAF filters, --gaps lists what has no component',
  )
  return 0
}

function show(entry: CatalogueEntry, options: GlobalOptions, terminal: Terminal): ExitCode {
  const { rewards = [], benchmarks = [], parts = [] } = methodOf(entry) ?? {}
  if (options.json) {
    terminal.result(
      JSON.stringify({
        ...entry,
        status: statusOf(entry),
        rewards: rewards.map(({ name }) => name),
        benchmarks,
        parts,
      }),
    )
    return 0
  }
  terminal.result(`${entry.name} (${entry.number}): ${entry.title}`)
  terminal.result(`${entry.paper}; ${statusOf(entry)}; proof on ${entry.worlds.join(', ') || 'no world'}`)
  terminal.result('')
  for (const line of table(
    ['axis', 'tags'],
    axisNames
      .filter((axis) => leavesOf(entry, axis).length > 0)
      .map((axis) => [taxonomy[axis].title, leavesOf(entry, axis).join(', ')]),
  ))
    terminal.result(line)
  for (const name of benchmarks) terminal.result(`benchmark ${name}`)
  for (const name of parts) terminal.result(`part ${name}`)
  if (rewards.length > 0) {
    terminal.result('')
    for (const line of table(
      ['reward', 'what it rewards'],
      rewards.map(({ name, summary }) => [name, summary]),
    ))
      terminal.result(line)
    terminal.note(`\n"guerdon rewards show ${rewards[0]!.name}" lists its options and examples`)
  }
  return 0
}

function printGaps(options: GlobalOptions, terminal: Terminal): ExitCode {
  const found = gaps()
  if (options.json) terminal.result(JSON.stringify(found.map(({ axis, leaf }) => ({ axis, leaf: leaf.id }))))
  else
    for (const line of table(
      ['axis', 'leaf', 'without a component'],
      found.map(({ axis, leaf }) => [axis, leaf.id, leaf.title]),
    ))
      terminal.result(line)
  return 0
}

function printCoverage(axes: readonly string[], options: GlobalOptions, terminal: Terminal): ExitCode {
  const [row, column] = axes.map(requireAxis)
  if (row === undefined || column === undefined || axes.length !== 2)
    throw new GuerdonError('bad-option', '--coverage takes two axes.', {
      fix: `Choose from ${axisNames.join(', ')}.`,
    })
  const rows = coverage(row, column)
  if (options.json) {
    terminal.result(JSON.stringify(rows))
    return 0
  }
  const columns = taxonomy[column].leaves.map(({ id }) => id)
  for (const line of table(
    [`${row} \\ ${column}`, ...columns],
    rows.map(({ row: name, counts }) => [
      name,
      ...columns.map((id) => String((counts as Record<string, number>)[id])),
    ]),
  ))
    terminal.result(line)
  return 0
}

/** `generator=diffusion,flow` of every `--tag`. */
function tagsOf(given: readonly string[]): Tags {
  const tags: Record<string, string[]> = {}
  for (const text of given) {
    const [axis = '', leaves = ''] = text.split('=', 2)
    tags[requireAxis(axis)] = leaves.split(',').filter(Boolean)
  }
  return tags as Tags
}

function requireAxis(name: string): AxisName {
  const axis = axisNames.find((known) => known === name)
  if (axis) return axis
  throw new GuerdonError('unknown-tag', `the catalogue has no axis "${name}".`, {
    fix: `Choose from ${axisNames.join(', ')}, as in --tag generator=diffusion.`,
  })
}
