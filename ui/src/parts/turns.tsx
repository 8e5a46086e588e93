import type { ReactNode } from 'react'
import type { Evidence, Json, ShownSample, ShownTurns } from '../wire.ts'
import { Said } from './said.tsx'

type Span = Extract<Evidence, { kind: 'span' }>

/** A prompt or an output as text, marked where rewards point; pictures stand elsewhere. */
export function Turns({
  turns,
  spans = [],
}: {
  readonly turns: ShownTurns
  readonly spans?: readonly Span[]
}) {
  return (
    <div>
      {turns.messages.map(({ role, name, parts, toolCalls, isJudged }, index) => {
        let offset = 0
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: turns stand in their order
          <div className="turn" key={index}>
            {role && (
              <span className="soft small">
                {role}
                {name ? ` · ${name}` : ''}
              </span>
            )}
            {parts.map((part, place) => {
              if (part.type === 'json')
                // biome-ignore lint/suspicious/noArrayIndexKey: parts stand in their order
                return <Code key={place} json={part.json} />
              if (part.type !== 'text' || part.text === '') return null
              const start = offset
              offset += part.text.length
              const own = isJudged ? spans : []
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: parts stand in their order
                <Said key={place}>{marked(part.text, own, start)}</Said>
              )
            })}
            {toolCalls?.map((call, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: calls stand in their order
              <div key={place}>
                <span className="tag accent">calls {call.name}</span>
                <Code json={call.arguments} />
              </div>
            ))}
          </div>
        )
      })}
      {turns.cut > 0 && <p className="soft small">… {turns.cut.toLocaleString('en')} more characters</p>}
    </div>
  )
}

export function Code({ json }: { readonly json: Json }) {
  return <Said>{typeof json === 'string' ? json : JSON.stringify(json, null, 1)}</Said>
}

/** Where the rewards of a sample point in its prompt or in its output. */
export function spansOf({ scores }: ShownSample, place: Span['in']): Span[] {
  return Object.values(scores)
    .flatMap(({ evidence = [] }) => evidence)
    .filter((item) => item.kind === 'span' && item.in === place) as Span[]
}

/** Text with its spans marked; a span that overlaps one before it is left out. */
function marked(text: string, spans: readonly Span[], start: number): ReactNode[] {
  const pieces: ReactNode[] = []
  let at = 0
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const [from, to] = [span.start - start, span.end - start]
    if (from < at || to <= from || to > text.length) continue
    pieces.push(
      text.slice(at, from),
      <mark
        key={from}
        className={span.good === undefined ? '' : span.good ? 'good' : 'bad'}
        title={span.label ?? ''}
      >
        {text.slice(from, to)}
      </mark>,
    )
    at = to
  }
  pieces.push(text.slice(at))
  return pieces
}

export function plainText({ messages }: ShownTurns): string {
  return messages
    .flatMap(({ parts, toolCalls = [] }) => [
      ...parts.flatMap((part) =>
        part.type === 'text' ? [part.text] : part.type === 'json' ? [JSON.stringify(part.json)] : [],
      ),
      ...toolCalls.map((call) => `${call.name}(${JSON.stringify(call.arguments)})`),
    ])
    .join('\n')
}
