import { ActionIcon, Autocomplete, Button, SegmentedControl, Textarea } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useEffect, useMemo, useState } from 'react'
import { type ApiProblem, send, useAnswer } from '../api.ts'
import { BoxCanvas, type DrawnBox } from '../parts/box-canvas.tsx'
import { Icon } from '../parts/icon.tsx'
import { Rendered } from '../parts/picture.tsx'
import { ScoreDetail } from '../parts/scores.tsx'
import { Answered, Problem } from '../parts/states.tsx'
import { Turns } from '../parts/turns.tsx'
import type { Json, PlaygroundAnswer, PlaygroundKind, RewardTypeHead } from '../wire.ts'

/** A sample of one's own: every part of every reward moves as it changes. */
export default function PlaygroundPage() {
  const kinds = useAnswer<PlaygroundKind[]>('playground')
  const [id, setId] = useState<string | null>(null)
  const isPhone = useMediaQuery('(max-width: 720px)') ?? false
  return (
    <>
      <div className="head">
        <div>
          <h1>Playground</h1>
          <p>
            Change the answer and see every reward move. Each begins with a flawed one: mend it, or try to be
            paid for nonsense.
          </p>
        </div>
      </div>
      <Answered query={kinds}>
        {(list) => {
          const kind = list.find((one) => one.id === id) ?? list[0]!
          return (
            <>
              <SegmentedControl
                aria-label="Kind"
                orientation={isPhone ? 'vertical' : 'horizontal'}
                data={list.map(({ id, title }) => ({ value: id, label: title }))}
                value={kind.id}
                onChange={setId}
                style={{ alignSelf: isPhone ? 'stretch' : 'start' }}
                {...(isPhone ? { fullWidth: true, size: 'xs' } : {})}
              />
              <Bench kind={kind} key={kind.id} />
            </>
          )
        }}
      </Answered>
    </>
  )
}

/** Pause after a key before rewards are asked [ms]. */
const pause = 180

function Bench({ kind }: { readonly kind: PlaygroundKind }) {
  const { sample } = kind
  const [prompt, setPrompt] = useState(sample.prompt)
  const [output, setOutput] = useState(sample.output)
  const [reference, setReference] = useState(() =>
    typeof sample.reference === 'string' ? sample.reference : JSON.stringify(sample.reference, null, 1),
  )
  const [rewards, setRewards] = useState<readonly string[]>(kind.rewards)
  const [answer, setAnswer] = useState<PlaygroundAnswer | null>(null)
  const [problem, setProblem] = useState<ApiProblem | null>(null)
  const given = useMemo(() => referenceOf(reference, sample.reference), [reference, sample.reference])

  useEffect(() => {
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      try {
        const next = await send<PlaygroundAnswer>(
          'playground/score',
          {
            sample: {
              prompt,
              output,
              reference: given,
              meta: sample.meta,
              ...(sample.image ? { image: sample.image.dataUrl } : {}),
            },
            rewards,
          },
          { signal: stop.signal },
        )
        setAnswer(next)
        setProblem(null)
      } catch (error) {
        if ((error as Error).name !== 'AbortError') setProblem(error as ApiProblem)
      }
    }, pause)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [prompt, output, given, rewards, sample])

  const found = sample.image ? readBoxes(output) : null
  const spans = (answer?.scores ?? []).flatMap(({ score }) =>
    (score?.evidence ?? []).filter((item) => item.kind === 'span' && item.in === 'output'),
  ) as Extract<
    NonNullable<NonNullable<PlaygroundAnswer['scores'][number]['score']>['evidence']>[number],
    { kind: 'span' }
  >[]
  return (
    <div className="playground">
      <div className="stack">
        {sample.image && (
          <BoxCanvas
            image={sample.image}
            boxes={found?.boxes ?? []}
            onChange={(boxes) => setOutput(withBoxes(output, found, boxes))}
          />
        )}
        <Textarea
          label="Answer"
          value={output}
          onChange={(event) => setOutput(event.currentTarget.value)}
          autosize
          minRows={4}
          maxRows={16}
          classNames={{ input: 'code' }}
          spellCheck={false}
        />
        {answer && answer.renders.length > 0 && (
          <div className="pictures">
            {answer.renders.map((render, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: pictures stand in their order
              <Rendered key={index} render={render} />
            ))}
          </div>
        )}
        {spans.length > 0 && (
          <details>
            <summary className="soft small">what rewards point at</summary>
            <Turns
              turns={{ messages: [{ parts: [{ type: 'text', text: output }], isJudged: true }], cut: 0 }}
              spans={spans}
            />
          </details>
        )}
        <Textarea
          label="Prompt"
          value={prompt}
          onChange={(event) => setPrompt(event.currentTarget.value)}
          autosize
          minRows={2}
          maxRows={8}
          classNames={{ input: 'code' }}
        />
        <Textarea
          label="Reference"
          description="What is right: JSON, or a text."
          value={reference}
          onChange={(event) => setReference(event.currentTarget.value)}
          autosize
          minRows={2}
          maxRows={10}
          classNames={{ input: 'code' }}
          spellCheck={false}
        />
        <div>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              setPrompt(sample.prompt)
              setOutput(sample.output)
              setReference(
                typeof sample.reference === 'string'
                  ? sample.reference
                  : JSON.stringify(sample.reference, null, 1),
              )
            }}
          >
            Begin again
          </Button>
        </div>
      </div>
      <section className="card stack" aria-label="Rewards" style={{ gap: 18 }}>
        <h2>Rewards</h2>
        {problem && <Problem error={problem} />}
        {rewards.map((reward) => {
          const one = answer?.scores.find((score) => score.reward === reward)
          const remove = (
            <Remove
              key="remove"
              reward={reward}
              onRemove={() => setRewards(rewards.filter((other) => other !== reward))}
            />
          )
          return one?.problem ? (
            <section className="stack" style={{ gap: 4 }} key={reward}>
              <div className="between">
                <h3 style={{ overflowWrap: 'anywhere' }}>{reward}</h3>
                {remove}
              </div>
              <p className="bad small">{one.problem}</p>
            </section>
          ) : (
            <ScoreDetail
              key={reward}
              name={reward}
              score={one?.score ?? undefined}
              range={one?.range ?? [null, null]}
              action={remove}
            />
          )
        })}
        <AddReward onAdd={(reward) => !rewards.includes(reward) && setRewards([...rewards, reward])} />
      </section>
    </div>
  )
}

function Remove({ reward, onRemove }: { readonly reward: string; readonly onRemove: () => void }) {
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="xs"
      aria-label={`remove ${reward}`}
      onClick={onRemove}
      style={{ verticalAlign: 'middle' }}
    >
      <Icon name="close" size={12} />
    </ActionIcon>
  )
}

function AddReward({ onAdd }: { readonly onAdd: (reward: string) => void }) {
  const types = useAnswer<RewardTypeHead[]>('reward-types')
  const [text, setText] = useState('')
  const known = useMemo(() => [...new Set((types.data ?? []).map(({ name }) => name))], [types.data])
  const add = (reward: string) => {
    if (reward.trim() === '') return
    onAdd(reward.trim())
    setText('')
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        add(text)
      }}
      className="row end"
      style={{ flexWrap: 'nowrap' }}
    >
      <Autocomplete
        label="Another reward"
        description="A name or an expression, such as 0.7*math + 0.3*format"
        data={known}
        value={text}
        onChange={setText}
        limit={30}
        maxDropdownHeight={260}
        style={{ flex: 1 }}
      />
      <Button type="submit" variant="default" disabled={text.trim() === ''}>
        Add
      </Button>
    </form>
  )
}

/** JSON where it is JSON, a text where the reference was one or is none. */
function referenceOf(text: string, original: Json): Json {
  if (typeof original === 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

interface FoundBoxes {
  readonly start: number
  readonly end: number
  readonly boxes: readonly DrawnBox[]
}

/** The list of boxes in an answer and where it stands. */
function readBoxes(text: string): FoundBoxes | null {
  const start = text.indexOf('[')
  const end = text.lastIndexOf(']') + 1
  if (start < 0 || end <= start) return null
  try {
    const list: unknown = JSON.parse(text.slice(start, end))
    if (!Array.isArray(list)) return null
    const boxes = list.flatMap((item): DrawnBox[] => {
      const { bbox_2d: box, label } = (item ?? {}) as { bbox_2d?: unknown; label?: unknown }
      return Array.isArray(box) && box.length === 4 && box.every((side) => typeof side === 'number')
        ? [{ bbox_2d: box as never, label: String(label ?? '') }]
        : []
    })
    return { start, end, boxes }
  } catch {
    return null
  }
}

function withBoxes(text: string, found: FoundBoxes | null, boxes: readonly DrawnBox[]): string {
  const json = `[${boxes.map((box) => JSON.stringify(box)).join(',\n ')}]`
  if (found !== null) return text.slice(0, found.start) + json + text.slice(found.end)
  return `<answer>\n\`\`\`json\n${json}\n\`\`\`\n</answer>`
}
