import { GuerdonError, isObject, type Json, nearest } from '../core/index.ts'
import type { Convention, Reading } from './conventions/convention.ts'
import { imageSourceFrom, withImages } from './image-source.ts'
import { valueAt } from './paths.ts'
import { jsonFrom, type Row } from './row.ts'
import { isMessageLike } from './turns.ts'

/**
 * Which column of any file is what, as dotted paths (`answers.0.text`; `*` for every element of a list). An output
 * that is a list of outputs gives several samples, `id#0`, `id#1`, ... in one group.
 */
export interface FieldMapping {
  readonly prompt: string
  /** The output, or chosen and rejected together. */
  readonly output?: string
  readonly chosen?: string
  readonly rejected?: string
  readonly reference?: string
  readonly id?: string
  readonly group?: string
  readonly images?: string
  /** Columns kept in `meta`. @default every column that is not the start of another path here */
  readonly meta?: readonly string[]
}

const fields = ['prompt', 'output', 'chosen', 'rejected', 'reference', 'id', 'group', 'images', 'meta']

/** A convention made of a mapping. Throws a `GuerdonError` for a mapping that cannot work. */
export function mappedConvention(mapping: FieldMapping): Convention {
  for (const key of Object.keys(mapping))
    if (!fields.includes(key)) {
      const guess = nearest(key, fields)
      throw new GuerdonError('bad-option', `the mapping has the field "${key}", which is not known.`, {
        fix: `${guess ? `Did you mean "${guess}"? ` : ''}Fields: ${fields.join(', ')}.`,
      })
    }
  const { prompt, output, chosen, rejected, reference, id, group, images, meta: kept } = mapping
  const pair = chosen !== undefined && rejected !== undefined
  if (
    prompt === undefined ||
    (output !== undefined) === pair ||
    (chosen === undefined) !== (rejected === undefined)
  )
    throw new GuerdonError('bad-option', 'the mapping does not say where prompt and output are.', {
      fix: 'Give `prompt` and either `output` or both `chosen` and `rejected`.',
    })
  const paths = [prompt, output, chosen, rejected, reference, id, group, images].filter(
    (path) => path !== undefined,
  )
  const heads = new Set(paths.flatMap((path) => [path, path.split('.')[0]!]))
  const at = (row: Row, path: string): unknown => valueAt(row.record, path)
  const needed = (row: Row, path: string): unknown => {
    const value = at(row, path)
    if (value !== undefined) return value
    const columns = Object.keys(row.record)
    const guess = nearest(path, columns)
    throw new GuerdonError('missing-field', 'is missing.', {
      place: { file: row.file, line: row.line, field: path },
      fix: `${guess ? `Did you mean "${guess}"? ` : ''}The row has ${columns.slice(0, 12).join(', ')}.`,
    })
  }
  const scalar = (row: Row, path: string): string | undefined => {
    const value = at(row, path)
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string' && typeof value !== 'number')
      throw row.problem(path, 'is not text or a number.')
    return String(value)
  }
  return {
    name: 'mapping',
    title: 'columns named by a mapping',
    columns: paths.join(', '),
    ...(pair ? {} : { unpaired: 'the mapping names outputs, not chosen and rejected' }),
    matches: () => true,
    read: (row) => {
      let turns = row.turns(prompt, needed(row, prompt))
      if (images !== undefined) turns = promptWithImages(row, turns, images, at(row, images))
      const found = pair ? [needed(row, chosen), needed(row, rejected)] : needed(row, output!)
      const outputs = pair ? (found as unknown[]) : outputsOf(row, output!, found)
      const candidates = outputs.map((item, index) => ({
        output: row.turns(pair ? (index === 0 ? chosen : rejected) : output!, item),
        ...(pair ? { meta: { label: index === 0 ? 'chosen' : 'rejected' } } : {}),
      }))
      const gold = reference === undefined ? undefined : at(row, reference)
      return {
        id:
          id === undefined || Object.hasOwn(row.record, id)
            ? row.id(id)
            : (scalar(row, id) ?? row.positionId()),
        prompt: turns,
        candidates,
        reference: gold === undefined ? undefined : jsonFrom(gold),
        group: group === undefined ? undefined : scalar(row, group),
        meta: kept ? keptColumns(row, kept) : row.rest(heads),
        ...(pair ? { orderings: [{ chosen: 0, rejected: 1 }] } : {}),
        several: !pair && isListOfOutputs(found),
      }
    },
  }
}

function outputsOf(row: Row, path: string, value: unknown): readonly unknown[] {
  if (!isListOfOutputs(value)) return [value]
  const list = value as readonly unknown[]
  if (list.length === 0) throw row.problem(path, 'is an empty list: there is nothing to judge.')
  return list
}

/** A list of texts or of dialogues, not one dialogue and not one list of content parts. */
function isListOfOutputs(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  const first: unknown = value[0]
  return !(isObject(first) && (isMessageLike(first) || typeof first.type === 'string'))
}

function promptWithImages(
  row: Row,
  prompt: Reading['prompt'],
  path: string,
  value: unknown,
): Reading['prompt'] {
  if (value === undefined || value === null) return prompt
  const sources = [value].flat().map((item) => {
    const source = imageSourceFrom(item)
    if (!source) throw row.problem(path, 'is not a path, URL, data URL or {bytes, path}.')
    return source
  })
  const filled = withImages(prompt, sources)
  if ('problem' in filled) throw row.problem(path, filled.problem, 'Give one image for every mark, in order.')
  return filled.turns
}

function keptColumns(row: Row, paths: readonly string[]): Record<string, Json> {
  const meta: Record<string, Json> = {}
  for (const path of paths) {
    const value = valueAt(row.record, path)
    if (value !== undefined) meta[path] = jsonFrom(value)
  }
  return meta
}
