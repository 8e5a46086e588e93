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

/** The logs of a training as they grow; a lost connection is made anew and begins from the start. */
export function useTrainingLogs(kind: string, id: string): TrainingLogs {
  const [logs, setLogs] = useState<TrainingLogs>({ records: [], examples: [], state: 'connecting' })
  const held = useRef(new Map<string, Json[]>())
  useEffect(() => {
    const source = new EventSource(address(`trainings/${encode(kind)}/${encode(id)}/events`))
    let isNew = false
    let state: TrainingLogs['state'] = 'connecting'
    source.addEventListener('begin', () => {
      held.current = new Map()
      state = 'live'
      isNew = true
    })
    source.addEventListener('records', (event) => {
      const { file, records, isAnew } = JSON.parse((event as MessageEvent<string>).data) as News
      held.current.set(file, [...(isAnew ? [] : (held.current.get(file) ?? [])), ...records])
      isNew = true
    })
    source.onerror = () => {
      state = 'lost'
      isNew = true
    }
    const draw = () => {
      if (!isNew) return
      isNew = false
      setLogs({ ...read(held.current), state })
    }
    const timer = setInterval(draw, drawn)
    const first = setTimeout(draw, 150)
    return () => {
      clearInterval(timer)
      clearTimeout(first)
      source.close()
    }
  }, [kind, id])
  return logs
}

function read(files: ReadonlyMap<string, readonly Json[]>): Pick<TrainingLogs, 'records' | 'examples'> {
  const records: LogRecord[] = []
  const examples: ExampleRecord[] = []
  for (const [file, lines] of files) {
    const [, seed, folder, name] = /^seed-(\d+)\/([^/]+)\/(?:.*\/)?([^/]+)\.jsonl$/.exec(file) ?? []
    const arm = folder ?? file.replace(/\.jsonl$/, '')
    if (file === 'runs.jsonl') continue
    lines.forEach((line, index) => {
      if (!isRecord(line)) return
      const own = { arm, seed: Number(seed ?? 0) }
      if (name === 'examples' || typeof line.output === 'string')
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
