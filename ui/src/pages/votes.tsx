import { Button, Checkbox, Modal, NumberInput, Select, Textarea, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { type ApiProblem, encode, send, useAnswer } from '../api.ts'
import { counted, moment } from '../format.ts'
import { Icon } from '../parts/icon.tsx'
import { useShortcuts } from '../parts/shortcuts.tsx'
import { Answered, Empty, Problem } from '../parts/states.tsx'
import type { NewVoteTask, RunDetail, RunHead, VoteTaskDetail, VoteTaskHead } from '../wire.ts'

/** The tasks of votes there are, and a new one. */
export default function VotesPage() {
  const tasks = useAnswer<VoteTaskHead[]>('votes')
  const runs = useAnswer<RunHead[]>('runs')
  const [isNew, setNew] = useState(false)
  const hasRuns = (runs.data?.length ?? 0) > 0
  useShortcuts('Votes', [{ keys: 'n', does: 'New task', run: () => hasRuns && setNew(true) }])
  return (
    <>
      <div className="head">
        <div>
          <h1>Votes</h1>
          <p>
            Two answers side by side, without names, in random places. What people prefer is the truth to hold
            rewards to.
          </p>
        </div>
        <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setNew(true)} disabled={!hasRuns}>
          New task
        </Button>
      </div>
      <Answered query={tasks}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="Nobody has voted yet">
              <p>
                A task takes pairs of answers to the same prompt from a run: at random, or where two rewards
                disagree. Several people may vote; their agreement, live ratings and an export of pairs come
                with it.
              </p>
              <Button onClick={() => setNew(true)} disabled={!hasRuns}>
                {hasRuns ? 'Begin a task' : 'Score a file first'}
              </Button>
            </Empty>
          ) : (
            <div className="cards">
              {list.map((task) => (
                <TaskCard key={task.id} task={task} />
              ))}
            </div>
          )
        }
      </Answered>
      {isNew && runs.data && <NewTask runs={runs.data} onClose={() => setNew(false)} />}
    </>
  )
}

function TaskCard({ task }: { readonly task: VoteTaskHead }) {
  const wanted = task.pairs * task.votesPerPair
  return (
    <Link href={`/votes/${task.id}`} className="card stack" style={{ gap: 6 }}>
      <h2>{task.title}</h2>
      <span className="soft">
        {counted(task.pairs, 'pair')} of {task.run}
      </span>
      <span className="bar" aria-hidden="true">
        <i style={{ width: `${Math.min(100, (100 * task.votes) / wanted)}%` }} />
      </span>
      <span className="between small soft">
        <span>
          {counted(task.votes, 'vote')} by {counted(task.voters, 'voter')}
        </span>
        <span>{moment(task.created)}</span>
      </span>
    </Link>
  )
}

const oneCriterion: NewVoteTask['criteria'] = [{ id: 'better', text: 'Which answer is better?' }]

function NewTask({ runs, onClose }: { readonly runs: readonly RunHead[]; readonly onClose: () => void }) {
  const [, navigate] = useLocation()
  const queries = useQueryClient()
  const [run, setRun] = useState(runs[0]!.id)
  const detail = useAnswer<RunDetail>(`runs/${encode(run)}`)
  const rewards = runs.find(({ id }) => id === run)?.rewards ?? []
  const [title, setTitle] = useState('Which answer is better?')
  const [question, setQuestion] = useState('Read the prompt, then say which answer serves it better.')
  const [criteria, setCriteria] = useState(oneCriterion.map(({ text }) => text).join('\n'))
  const [choose, setChoose] = useState(rewards.length > 1 ? 'disagree' : 'random')
  const [pairs, setPairs] = useState<number | string>(60)
  const [votesPerPair, setVotesPerPair] = useState<number | string>(2)
  const [rated, setRated] = useState<string | null>(null)
  const [attentionChecks, setChecks] = useState(true)
  const [problem, setProblem] = useState<ApiProblem | null>(null)
  const [isSending, setSending] = useState(false)
  const submit = async () => {
    setSending(true)
    setProblem(null)
    try {
      const made = await send<VoteTaskDetail>('votes', {
        title,
        question,
        criteria: criteriaOf(criteria),
        run,
        choose:
          choose === 'disagree' && rewards.length > 1
            ? { first: rewards[0]!.name, second: rewards[1]!.name }
            : 'random',
        pairs: Number(pairs),
        votesPerPair: Number(votesPerPair),
        rated,
        attentionChecks,
      } satisfies NewVoteTask)
      await queries.invalidateQueries({ queryKey: ['votes'] })
      navigate(`/votes/${made.id}`)
    } catch (error) {
      setProblem(error as ApiProblem)
      setSending(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title="New task" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <TextInput
          label="Title"
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
          required
          maxLength={120}
        />
        <Textarea
          label="What voters are asked"
          value={question}
          onChange={(event) => setQuestion(event.currentTarget.value)}
          required
          maxLength={500}
          autosize
        />
        <Textarea
          label="Criteria"
          description="One a line, up to five; voters decide on each."
          value={criteria}
          onChange={(event) => setCriteria(event.currentTarget.value)}
          required
          autosize
        />
        <Select
          label="Run"
          data={runs.map(({ id }) => id)}
          value={run}
          onChange={(id) => id && setRun(id)}
          allowDeselect={false}
        />
        <Select
          label="Pairs"
          data={[
            ...(rewards.length > 1
              ? [
                  {
                    value: 'disagree',
                    label: `where ${rewards[0]!.name} and ${rewards[1]!.name} disagree most`,
                  },
                ]
              : []),
            { value: 'random', label: 'answers to one prompt, at random' },
          ]}
          value={choose}
          onChange={(value) => value && setChoose(value)}
          allowDeselect={false}
        />
        <div className="row end">
          <NumberInput
            label="How many pairs"
            value={pairs}
            onChange={setPairs}
            min={1}
            max={10_000}
            w={150}
          />
          <NumberInput
            label="Voters for each"
            value={votesPerPair}
            onChange={setVotesPerPair}
            min={1}
            max={50}
            w={150}
          />
          <Select
            label="Rate"
            data={[
              { value: '', label: 'each answer' },
              ...(detail.data?.kinds ?? []).map(({ field }) => ({ value: field, label: `by ${field}` })),
            ]}
            value={rated ?? ''}
            onChange={(value) => setRated(value || null)}
            allowDeselect={false}
            w={180}
          />
        </div>
        <Checkbox
          label="Attention checks: now and then one answer belongs to another prompt"
          checked={attentionChecks}
          onChange={(event) => setChecks(event.currentTarget.checked)}
        />
        {problem && <Problem error={problem} />}
        <div className="row" style={{ justifyContent: 'end' }}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isSending}>
            Begin
          </Button>
        </div>
      </form>
    </Modal>
  )
}

function criteriaOf(text: string): NewVoteTask['criteria'] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 5)
    .map((line, index) => ({ id: `criterion-${index + 1}`, text: line.slice(0, 200) }))
}
