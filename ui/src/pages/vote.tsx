import { Button, Kbd, SegmentedControl, TextInput } from '@mantine/core'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import { type ApiProblem, ask, encode, useAnswer } from '../api.ts'
import { counted } from '../format.ts'
import { flush, keepVote, takeBack, useOutbox } from '../outbox.ts'
import { Pictures } from '../parts/picture.tsx'
import { useShortcuts } from '../parts/shortcuts.tsx'
import { Answered, Empty, Problem, Waiting } from '../parts/states.tsx'
import { Turns } from '../parts/turns.tsx'
import type { BlindedPair, BlindedSide, NextPairs, VoteChoice, VoteTaskDetail } from '../wire.ts'
import { VoteResultsView } from './vote-results.tsx'

const voterKey = 'guerdon-voter'

/** One task: voting, and what the votes come to. */
export default function VotePage({ task: id }: { readonly task: string }) {
  const task = useAnswer<VoteTaskDetail>(`votes/${encode(id)}`)
  const [view, setView] = useState<'vote' | 'results'>('vote')
  return (
    <Answered query={task}>
      {(answer) => (
        <>
          <div className="head">
            <div>
              <h1>{answer.title}</h1>
              <p>{answer.question}</p>
            </div>
            <SegmentedControl
              aria-label="View"
              data={[
                { value: 'vote', label: 'Vote' },
                { value: 'results', label: 'Results' },
              ]}
              value={view}
              onChange={(value) => setView(value as typeof view)}
            />
          </div>
          {view === 'vote' ? <Booth task={answer} /> : <VoteResultsView task={answer} />}
        </>
      )}
    </Answered>
  )
}

function Booth({ task }: { readonly task: VoteTaskDetail }) {
  const [voter, setVoter] = useState(() => localStorage.getItem(voterKey) ?? '')
  const [name, setName] = useState(voter)
  if (voter === '')
    return (
      <form
        className="card stack"
        style={{ maxWidth: 460 }}
        onSubmit={(event) => {
          event.preventDefault()
          const given = name.trim().slice(0, 60)
          if (given === '') return
          localStorage.setItem(voterKey, given)
          setVoter(given)
        }}
      >
        <TextInput
          label="Who votes?"
          description="A name or initials: it keeps your votes together and lets agreement be measured."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={60}
          data-autofocus
          autoFocus
        />
        <div>
          <Button type="submit" disabled={name.trim() === ''}>
            Begin
          </Button>
        </div>
      </form>
    )
  return (
    <Ballot
      task={task}
      voter={voter}
      onLeave={() => {
        localStorage.removeItem(voterKey)
        setVoter('')
      }}
      key={voter}
    />
  )
}

interface Queue {
  readonly pairs: readonly BlindedPair[]
  readonly done: number
  readonly total: number
}

/** Fewer pairs than this at hand, and more are fetched. */
const fewLeft = 4

function Ballot({
  task,
  voter,
  onLeave,
}: {
  readonly task: VoteTaskDetail
  readonly voter: string
  readonly onLeave: () => void
}) {
  const outbox = useOutbox()
  const [queue, setQueue] = useState<Queue | null>(null)
  const [problem, setProblem] = useState<ApiProblem | null>(null)
  const [criterion, setCriterion] = useState(0)
  const [last, setLast] = useState<{ ids: readonly string[]; pair: BlindedPair } | null>(null)
  const voted = useRef(new Set<number>())
  const isFetching = useRef(false)
  const isBusy = useRef(false)
  const began = useRef(performance.now())
  const given = useRef<string[]>([])

  const fetchMore = useCallback(async () => {
    if (isFetching.current) return
    isFetching.current = true
    try {
      const next = await ask<NextPairs>(`votes/${encode(task.id)}/next?voter=${encode(voter)}`)
      setProblem(null)
      setQueue((before) => {
        const held = before?.pairs ?? []
        const known = new Set(held.map(({ pair }) => pair))
        return {
          pairs: [...held, ...next.pairs.filter(({ pair }) => !known.has(pair) && !voted.current.has(pair))],
          done: Math.max(next.done, before?.done ?? 0),
          total: Math.max(next.total, before?.total ?? 0),
        }
      })
    } catch (error) {
      setProblem(error as ApiProblem)
    } finally {
      isFetching.current = false
    }
  }, [task.id, voter])

  useEffect(() => {
    // What an earlier visit left unsent goes first, so that its pairs are not shown again.
    void flush(true).then(fetchMore)
  }, [fetchMore])
  // Votes not yet sent hide pairs that the server still offers; when little is left it is asked again.
  useEffect(() => {
    if (queue !== null && queue.pairs.length < fewLeft && queue.done < queue.total) void fetchMore()
  }, [queue, fetchMore])
  useEffect(() => {
    if (problem === null) return
    const timer = setInterval(() => void fetchMore(), 3000)
    return () => clearInterval(timer)
  }, [problem, fetchMore])

  const pair = queue?.pairs[0]
  const vote = async (choice: VoteChoice) => {
    if (pair === undefined || isBusy.current) return
    isBusy.current = true
    try {
      const id = crypto.randomUUID()
      await keepVote(task.id, {
        id,
        pair: pair.pair,
        criterion: task.criteria[criterion]!.id,
        choice,
        voter,
        created: new Date().toISOString(),
        seconds: Math.round((performance.now() - began.current) / 100) / 10,
      })
      given.current.push(id)
      began.current = performance.now()
      if (criterion + 1 < task.criteria.length) {
        setCriterion(criterion + 1)
        return
      }
      voted.current.add(pair.pair)
      setLast({ ids: given.current, pair })
      given.current = []
      setCriterion(0)
      setQueue((before) => before && { ...before, pairs: before.pairs.slice(1), done: before.done + 1 })
      window.scrollTo({ top: 0 })
    } finally {
      isBusy.current = false
    }
  }
  const undo = async () => {
    if (last === null) return
    const taken = await Promise.all(last.ids.map(takeBack))
    setLast(null)
    if (!taken.every(Boolean)) return
    voted.current.delete(last.pair.pair)
    setQueue((before) => before && { ...before, pairs: [last.pair, ...before.pairs], done: before.done - 1 })
    setCriterion(0)
  }
  useShortcuts('Voting', [
    { keys: '1', does: 'The left answer', run: () => void vote('left') },
    { keys: '2', does: 'The right answer', run: () => void vote('right') },
    { keys: '=', does: 'Equally good', run: () => void vote('tie') },
    { keys: 's', does: 'Skip', run: () => void vote('skip') },
    { keys: 'u', does: 'Take the last vote back', run: () => void undo() },
  ])

  if (queue === null)
    return problem ? <Problem error={problem} again={() => void fetchMore()} /> : <Waiting />
  return (
    <>
      <div className="between small soft" data-testid="progress">
        <span>
          {queue.done} of {counted(queue.total, 'pair')} · {voter}{' '}
          <button type="button" className="link" onClick={onLeave}>
            somebody else
          </button>
        </span>
        <span role="status">
          {outbox.waiting === 0
            ? 'all votes are kept'
            : outbox.problem === null
              ? `${counted(outbox.waiting, 'vote')} on the way`
              : `${counted(outbox.waiting, 'vote')} kept here until the server answers`}
        </span>
      </div>
      <span className="bar" aria-hidden="true">
        <i style={{ width: `${(100 * queue.done) / Math.max(1, queue.total)}%` }} />
      </span>
      {pair === undefined ? (
        problem ? (
          <Problem error={problem} again={() => void fetchMore()} />
        ) : queue.done >= queue.total ? (
          <Empty title="That was all, thank you">
            <p>You have voted on every pair that is waiting for you.</p>
            <Link href="/votes">To the tasks</Link>
          </Empty>
        ) : (
          <Waiting />
        )
      ) : (
        <>
          <Duel pair={pair} key={pair.pair} />
          <div className="voting">
            <div className="between">
              <b aria-live="polite">
                {task.criteria[criterion]!.text}
                {task.criteria.length > 1 && (
                  <span className="soft">
                    {' '}
                    ({criterion + 1} of {task.criteria.length})
                  </span>
                )}
              </b>
              <Button variant="subtle" size="compact-sm" onClick={() => void undo()} disabled={last === null}>
                Undo{' '}
                <Kbd ml={6} size="xs">
                  u
                </Kbd>
              </Button>
            </div>
            <div className="choices">
              <Choice keys="1" onClick={() => void vote('left')}>
                Left
              </Choice>
              <Choice keys="=" onClick={() => void vote('tie')} isQuiet>
                Equal
              </Choice>
              <Choice keys="s" onClick={() => void vote('skip')} isQuiet>
                Skip
              </Choice>
              <Choice keys="2" onClick={() => void vote('right')}>
                Right
              </Choice>
            </div>
          </div>
        </>
      )}
    </>
  )
}

function Choice({
  keys,
  onClick,
  isQuiet = false,
  children,
}: {
  readonly keys: string
  readonly onClick: () => void
  readonly isQuiet?: boolean
  readonly children: string
}) {
  return (
    <Button variant={isQuiet ? 'default' : 'filled'} size="md" onClick={onClick}>
      {children}
      <Kbd ml={8} size="xs" visibleFrom="xs">
        {keys}
      </Kbd>
    </Button>
  )
}

function Duel({ pair }: { readonly pair: BlindedPair }) {
  return (
    <>
      <section className="card stack" aria-label="Prompt">
        <h2>Prompt</h2>
        <Pictures turns={[pair.prompt]} boxes={[]} renders={[]} />
        <Turns turns={pair.prompt} />
      </section>
      <div className="duel">
        <Side side={pair.left} prompt={pair.prompt} title="Left" />
        <Side side={pair.right} prompt={pair.prompt} title="Right" />
      </div>
    </>
  )
}

function Side({
  side,
  prompt,
  title,
}: {
  readonly side: BlindedSide
  readonly prompt: BlindedPair['prompt']
  readonly title: string
}) {
  // Masks of an answer lie over pictures of the prompt too.
  const turns = side.masks.shown.length > 0 ? [prompt, side.output] : [side.output]
  return (
    <section className="card" aria-label={title}>
      <h2>{title}</h2>
      <Pictures turns={turns} boxes={side.boxes} masks={side.masks} renders={side.renders} />
      <Turns turns={side.output} />
    </section>
  )
}
