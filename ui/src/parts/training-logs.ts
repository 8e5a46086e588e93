import { useEffect, useRef, useState } from 'react'
import { address, encode } from '../api.ts'
import type { Json, JsonObject } from '../wire.ts'

export interface LogRecord {
  readonly arm: string
  readonly seed: number
  readonly step: number
  readonly values: Readonly<Record<string, number>>
}

export interface ExampleRecord {
  readonly arm: string
  readonly seed: number
  readonly iteration: number | null
  readonly prompt: string
  readonly output: string
  readonly note: string
}

export interface TrainingLogs {
  readonly records: readonly LogRecord[]
  readonly examples: readonly ExampleRecord[]
  readonly state: 'connecting' | 'live' | 'lost'
}

interface News {
  readonly file: string
  readonly records: readonly Json[]
  readonly isAnew: boolean
}

/** How often what has come in is drawn [ms]. */
const drawn = 800

/** A training whose logs are followed. */
export interface LogSource {
  readonly kind: string
  readonly id: string
  /** Of an arm by the name that its folder gives it; an empty name is the training itself. */
  readonly armOf: (folder: string) => string
}

/** The logs of trainings as they grow; a lost connection is made anew and begins from the start. */
export function useTrainingLogs(sources: readonly LogSource[]): TrainingLogs {
  const [logs, setLogs] = useState<TrainingLogs>({ records: [], examples: [], state: 'connecting' })
  const current = useRef(sources)
  current.current = sources
  const wanted = JSON.stringify(sources.map(({ kind, id }) => [kind, id]))
  useEffect(() => {
    let isNew = false
    const followed = (JSON.parse(wanted) as [string, string][]).map(([kind, id]) => {
      const source = new EventSource(address(`trainings/${encode(kind)}/${encode(id)}/events`))
      const one = { source, files: new Map<string, Json[]>(), state: 'connecting' as TrainingLogs['state'] }
      source.addEventListener('begin', () => {
        one.files = new Map()
        one.state = 'live'
        isNew = true
      })
      source.addEventListener('records', (event) => {
        const { file, records, isAnew } = JSON.parse((event as MessageEvent<string>).data) as News
        one.files.set(file, [...(isAnew ? [] : (one.files.get(file) ?? [])), ...records])
        isNew = true
      })
      source.onerror = () => {
        one.state = 'lost'
        isNew = true
      }
      return one
    })
    const draw = () => {
      if (!isNew) return
      isNew = false
      const all = followed.map(({ files }, index) => read(files, current.current[index]?.armOf ?? String))
      const states = followed.map(({ state }) => state)
      setLogs({
        records: all.flatMap(({ records }) => records),
        examples: all.flatMap(({ examples }) => examples),
        state:
          states.find((state) => state === 'lost') ??
          states.find((state) => state === 'connecting') ??
          'live',
      })
    }
    const timer = setInterval(draw, drawn)
    const first = setTimeout(draw, 150)
    return () => {
      clearInterval(timer)
      clearTimeout(first)
      for (const { source } of followed) source.close()
    }
  }, [wanted])
  return logs
}

function read(
  files: ReadonlyMap<string, readonly Json[]>,
  armOf: LogSource['armOf'],
): Pick<TrainingLogs, 'records' | 'examples'> {
  const records: LogRecord[] = []
  const examples: ExampleRecord[] = []
  for (const [file, lines] of files) {
    if (file === 'runs.jsonl') continue
    const { folder, seed, isExamples } = placeOf(file)
    const own = { arm: armOf(folder), seed }
    lines.forEach((line, index) => {
      if (!isRecord(line)) return
      if (isExamples || typeof line.output === 'string')
        examples.push({
          ...own,
          iteration: typeof line.iteration === 'number' ? line.iteration : null,
          prompt: String(line.prompt ?? ''),
          output: String(line.output ?? ''),
          note: String(line.note ?? ''),
        })
      else
        records.push({
          ...own,
          step:
            typeof line.iteration === 'number'
              ? line.iteration
              : typeof line.step === 'number'
                ? line.step
                : index,
          values: numbersOf(line),
        })
    })
  }
  return { records, examples }
}

/**
 * What a log belongs to, by where it is: `seed-0/fine/training.jsonl` of a reproduction, or whatever a trainer was told:
 * `fine/seed-0.jsonl`, `fine/seed-0/log.jsonl`, `fine.jsonl`.
 */
export function placeOf(file: string): {
  readonly folder: string
  readonly seed: number
  readonly isExamples: boolean
} {
  const parts = file.replace(/\.jsonl$/, '').split('/')
  const isExamples = parts.at(-1) === 'examples'
  const at = parts.findIndex((part) => /^seed-\d+$/.test(part))
  const seed = at < 0 ? 0 : Number(parts[at]!.slice('seed-'.length))
  if (at === 0 && parts.length > 2) return { folder: parts[1]!, seed, isExamples }
  const rest = parts.filter((_, index) => index !== at)
  if (/^(?:training|examples|log|logs|records)$/.test(rest.at(-1) ?? '')) rest.pop()
  return { folder: rest.join('/'), seed, isExamples }
}

function isRecord(line: Json): line is JsonObject {
  return typeof line === 'object' && line !== null && !Array.isArray(line)
}

/** The numbers of a record, those of nested groups under their own names. */
function numbersOf(record: Readonly<Record<string, Json | undefined>>): Record<string, number> {
  const numbers: Record<string, number> = {}
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === 'number' && name !== 'iteration' && name !== 'step') numbers[name] = value
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [inner, number] of Object.entries(value))
        if (typeof number === 'number') numbers[name === 'updates' ? inner : `${name}: ${inner}`] = number
  }
  return numbers
}
