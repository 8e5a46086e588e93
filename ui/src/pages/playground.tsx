import { ActionIcon, Autocomplete, Button, Kbd, SegmentedControl, Textarea } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useEffect, useMemo, useState } from 'react'
import { Link } from 'wouter'
import { type ApiProblem, encode, send, useAnswer } from '../api.ts'
import { BoxCanvas, type DrawnBox } from '../parts/box-canvas.tsx'
import { Icon } from '../parts/icon.tsx'
import { Rendered } from '../parts/picture.tsx'
import { ScoreDetail } from '../parts/scores.tsx'
import { Answered, Problem } from '../parts/states.tsx'
import { Turns } from '../parts/turns.tsx'
import type {
  GivenReward,
  Json,
  Playground,
  PlaygroundAnswer,
  PlaygroundKind,
  RewardTypeHead,
} from '../wire.ts'

/** A sample of one's own, or one of a run to begin with: every part of every reward moves as it changes. */
export default function PlaygroundPage({
  run,
  position,
}: {
  readonly run?: string
  readonly position?: number
}) {
  const playground = useAnswer<Playground>('playground')
  const from = useAnswer<PlaygroundKind>(
    run === undefined || position === undefined ? null : `runs/${encode(run)}/samples/${position}/playground`,
  )
  return (
    <>
      <div className="head">
        <div>
          {run !== undefined && (
            <p className="small">
              <Link href={`/samples/${encode(run)}/-/${position}`}>Back to the sample</Link>
            </p>
          )}
          <h1>Playground</h1>
          <p>
            Change the answer and see every reward move.{' '}
            {run === undefined
              ? 'Each begins with a flawed one: mend it, or try to be paid for nonsense.'
              : 'It begins as the sample is, in words and with its first picture.'}
          </p>
        </div>
      </div>
      <Answered query={playground}>
        {({ kinds, given }) =>
          run === undefined ? (
            <Kinds kinds={kinds} given={given} />
          ) : (
            <Answered query={from}>{(kind) => <Bench kind={kind} given={given} />}</Answered>
          )
        }
      </Answered>
    </>
  )
}

function Kinds({ kinds, given }: Playground) {
  const [id, setId] = useState<string | null>(null)
  const isPhone = useMediaQuery('(max-width: 720px)') ?? false
  const kind = kinds.find((one) => one.id === id) ?? kinds[0]!
  return (
    <>
      <SegmentedControl
        aria-label="Kind"
        orientation={isPhone ? 'vertical' : 'horizontal'}
        data={kinds.map(({ id, title }) => ({ value: id, label: title }))}
        value={kind.id}
        onChange={setId}
        style={{ alignSelf: isPhone ? 'stretch' : 'start' }}
        {...(isPhone ? { fullWidth: true, size: 'xs' } : {})}
      />
      <Bench kind={kind} given={given} key={kind.id} />
    </>
  )
}

/** Pause after a key before rewards are asked [ms]. */
const pause = 180

function Bench({
  kind,
  given: givenRewards,
}: {
  readonly kind: PlaygroundKind
  readonly given: readonly GivenReward[]
}) {
  const { sample } = kind
  const [prompt, setPrompt] = useState(sample.prompt)
  const [output, setOutput] = useState(sample.output)
  const [reference, setReference] = useState(() => textOfReference(sample.reference))
  const [rewards, setRewards] = useState<readonly string[]>(() => [
    ...new Set([...givenRewards.map(({ name }) => name), ...kind.rewards]),
  ])
  const judges = useMemo(
    () => new Set(givenRewards.flatMap(({ name, asksModel }) => (asksModel ? [name] : []))),
    [givenRewards],
  )
  const asked = rewards.filter((reward) => judges.has(reward))
  const [answer, setAnswer] = useState<PlaygroundAnswer | null>(null)
  const [problem, setProblem] = useState<ApiProblem | null>(null)
  const given = useMemo(() => referenceOf(reference, sample.reference), [reference, sample.reference])

  const request = useMemo(
    () => ({
      prompt,
      output,
      reference: given,
      meta: sample.meta,
      ...(sample.image ? { image: sample.image.dataUrl } : {}),
    }),
    [prompt, output, given, sample],
  )
  const verdicts = useVerdicts(request)

  useEffect(() => {
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      try {
        const free = rewards.filter((reward) => !judges.has(reward))
        const body = { sample: request, rewards: free }
        setAnswer(await send<PlaygroundAnswer>('playground/score', body, { signal: stop.signal }))
        setProblem(null)
      } catch (error) {
        if ((error as Error).name !== 'AbortError') setProblem(error as ApiProblem)
      }
    }, pause)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [request, rewards, judges])

  const found = sample.image ? readBoxes(output) : null
  const spans = (answer?.scores ?? []).flatMap(({ score }) =>
    (score?.evidence ?? []).filter((item) => item.kind === 'span' && item.in === 'output'),
  ) as Extract<
    NonNullable<NonNullable<PlaygroundAnswer['scores'][number]['score']>['evidence']>[number],
    { kind: 'span' }
  >[]
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a key that holds in every field
    <div
      className="playground"
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || asked.length === 0) return
        event.preventDefault()
        verdicts.ask(asked)
      }}
    >
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
              setReference(textOfReference(sample.reference))
            }}
          >
            Begin again
          </Button>
        </div>
      </div>
      <section className="card stack" aria-label="Rewards" style={{ gap: 18 }}>
        <h2>Rewards</h2>
        {problem && <Problem error={problem} />}
        {asked.length > 0 && (
          <div className="row" style={{ gap: 10 }}>
            <Button
              loading={verdicts.isAsking}
              disabled={verdicts.isFresh(asked)}
              onClick={() => verdicts.ask(asked)}
              rightSection={<Kbd size="xs">Ctrl Enter</Kbd>}
            >
              Ask {asked.length === 1 ? asked[0] : `${asked.length} judges`}
            </Button>
            <span className="soft small" role="status">
              {verdicts.isAsking
                ? 'A model is asked …'
                : verdicts.isFresh(asked)
                  ? 'Judged as it stands.'
                  : 'Rewards that ask a model wait for you.'}
            </span>
          </div>
        )}
        {verdicts.problem && <Problem error={verdicts.problem} />}
        {rewards.map((reward) => {
          const isJudge = judges.has(reward)
          const one = isJudge ? verdicts.of(reward) : answer?.scores.find((score) => score.reward === reward)
          const isOld = isJudge && one !== undefined && !verdicts.isFresh([reward])
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
            <div key={reward} className={isOld ? 'old stack' : 'stack'} style={{ gap: 4 }}>
              <ScoreDetail
                name={reward}
                score={one?.score ?? undefined}
                range={one?.range ?? [null, null]}
                action={remove}
              />
              {isOld && <p className="soft small">of what stood here when it was asked</p>}
            </div>
          )
        })}
        <AddReward onAdd={(reward) => !rewards.includes(reward) && setRewards([...rewards, reward])} />
      </section>
    </div>
  )
}

type Request = Readonly<Record<string, unknown>>

/** What rewards that ask a model said, and of which sample; they are asked when somebody wants it. */
function useVerdicts(request: Request) {
  const [said, setSaid] = useState<
    ReadonlyMap<string, { readonly of: Request; readonly score: PlaygroundAnswer['scores'][number] }>
  >(new Map())
  const [isAsking, setAsking] = useState(false)
  const [problem, setProblem] = useState<ApiProblem | null>(null)
  return {
    isAsking,
    problem,
    of: (reward: string) => said.get(reward)?.score,
    isFresh: (rewards: readonly string[]) => rewards.every((reward) => said.get(reward)?.of === request),
    async ask(rewards: readonly string[]): Promise<void> {
      if (isAsking) return
      setAsking(true)
      try {
        const { scores } = await send<PlaygroundAnswer>('playground/score', { sample: request, rewards })
        setSaid(
          (before) =>
            new Map([...before, ...scores.map((score) => [score.reward, { of: request, score }] as const)]),
        )
        setProblem(null)
      } catch (error) {
        setProblem(error as ApiProblem)
      } finally {
        setAsking(false)
      }
    },
  }
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

function textOfReference(reference: Json): string {
  if (reference === null) return ''
  return typeof reference === 'string' ? reference : JSON.stringify(reference, null, 1)
}

/** JSON where it is JSON, a text where the reference was one or is none. */
function referenceOf(text: string, original: Json): Json {
  if (typeof original === 'string') return text
  if (original === null && text.trim() === '') return null
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
