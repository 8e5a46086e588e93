import { Button, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { type ApiProblem, ask, encode, useAnswer } from '../api.ts'
import { counted } from '../format.ts'
import { Icon } from '../parts/icon.tsx'
import { SampleGrid } from '../parts/sample-grid.tsx'
import { useShortcuts } from '../parts/shortcuts.tsx'
import { Answered, Command, Empty, Problem, Waiting } from '../parts/states.tsx'
import { ValueFilters } from '../parts/value-filters.tsx'
import type { SamplesPage as Page, RunDetail, RunHead, SampleOrder } from '../wire.ts'
import { type Look, lookOf, lookText, tidied } from './look.ts'
import { RunDifferences } from './run-differences.tsx'
import { SampleDialog } from './sample-dialog.tsx'

interface SamplesProps {
  readonly run?: string
  readonly look?: string
  readonly position?: number
}

/** All samples of a run: filtered, sorted and searched on the server, page by page. */
export default function SamplesPage(props: SamplesProps) {
  const runs = useAnswer<RunHead[]>('runs')
  return (
    <Answered query={runs} waiting={<GridWaiting />}>
      {(list) => {
        const run = props.run ?? list[0]?.id
        return run === undefined ? (
          <Empty title="No samples yet">
            <p>
              Score a file and its samples are here: grid, pictures, parts of every score, worst
              disagreements.
            </p>
            <Command>npx guerdon score answers.jsonl --reward math</Command>
          </Empty>
        ) : (
          <RunSamples {...props} run={run} runs={list} key={run} />
        )
      }}
    </Answered>
  )
}

function RunSamples({
  run,
  runs,
  look: text,
  position,
}: SamplesProps & { run: string; runs: readonly RunHead[] }) {
  const detail = useAnswer<RunDetail>(`runs/${encode(run)}`)
  return (
    <>
      <div className="head">
        <div>
          <h1>Samples</h1>
        </div>
      </div>
      <Answered query={detail} waiting={<GridWaiting />}>
        {(answer) => <Browse run={answer} runs={runs} look={lookOf(text)} position={position} />}
      </Answered>
    </>
  )
}

function GridWaiting() {
  return <Waiting rows={3} height={180} />
}

function Browse({
  run,
  runs,
  look,
  position,
}: {
  readonly run: RunDetail
  readonly runs: readonly RunHead[]
  readonly look: Look
  readonly position: number | undefined
}) {
  const [, navigate] = useLocation()
  const search = useRef<HTMLInputElement>(null)
  const [showsFilters, setShowsFilters] = useState(false)
  const base = `/samples/${encode(run.id)}`
  const text = lookText(tidied(look))
  const change = (next: Look) => navigate(`${base}/${lookText(tidied(next))}`, { replace: true })
  const filter = look.filter ?? {}
  const query = { filter, order: look.order ?? { by: 'position' }, descending: look.descending ?? false }

  const pages = useInfiniteQuery<Page, ApiProblem>({
    queryKey: ['samples', run.id, text],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      ask<Page>(
        `runs/${encode(run.id)}/samples?query=${encode(JSON.stringify({ ...query, ...(pageParam ? { after: pageParam } : {}) }))}`,
        { signal },
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  })
  const count = useAnswer<{ count: number }>(
    `runs/${encode(run.id)}/count?query=${encode(JSON.stringify({ filter }))}`,
    { keep: true },
  )
  const samples = useMemo(() => pages.data?.pages.flatMap((page) => page.samples) ?? [], [pages.data])

  const open = (next: number | undefined) =>
    navigate(next === undefined ? `${base}/${text}` : `${base}/${text}/${next}`, {
      replace: position !== undefined && next !== undefined,
    })
  const place = samples.findIndex((sample) => sample.position === position)
  const step = (by: number) => {
    const next = samples[place + by]
    if (next !== undefined) open(next.position)
    if (place + by >= samples.length - 4 && pages.hasNextPage && !pages.isFetching) void pages.fetchNextPage()
  }
  const type = useDebouncedCallback(
    (words: string) => change({ ...look, filter: { ...filter, text: words } }),
    250,
  )
  const second = look.order && 'second' in look.order ? look.order.second : undefined
  const against = second?.run === undefined ? undefined : { run: second.run, reward: second.reward }
  const shared = (other: string | null) => {
    const theirs = new Set(runs.find(({ id }) => id === other)?.rewards.map(({ name }) => name))
    return run.rewards.map(({ name }) => name).filter((name) => theirs.has(name))
  }
  // those with most rewards in common first: likelier to be of the same samples
  const comparable = runs
    .map(({ id }) => id)
    .filter((id) => id !== run.id && shared(id).length > 0)
    .sort((a, b) => shared(b).length - shared(a).length)
  /** Widest apart first, by the reward that was looked at if there is such. */
  const compareWith = (other: string | null, wanted = against?.reward) => {
    const names = shared(other)
    const reward = names.find((name) => name === wanted) ?? names[0]
    if (other === null || reward === undefined) return change(look.filter ? { filter: look.filter } : {})
    const order = { by: 'disagreement', first: reward, second: { reward, run: other } } as const
    change({ ...look, order, descending: true })
  }
  useShortcuts('Samples', [
    ...(comparable.length > 0
      ? [
          {
            keys: 'c',
            does: 'Compare with another run, or with none',
            run: () => compareWith(against === undefined ? comparable[0]! : null),
          },
        ]
      : []),
    { keys: '/', does: 'Search', run: () => search.current?.focus() },
    { keys: 'f', does: 'Filters', run: () => setShowsFilters((shows) => !shows) },
  ])

  return (
    <>
      <div className="toolbar">
        {runs.length > 1 ? (
          <Select
            label="Run"
            data={runs.map(({ id }) => ({ value: id, label: id }))}
            value={run.id}
            onChange={(id) => id && navigate(`/samples/${encode(id)}`)}
            allowDeselect={false}
            searchable={runs.length > 8}
            w={{ base: '100%', xs: 210 }}
          />
        ) : null}
        {comparable.length > 0 && (
          <Select
            label="Compare with"
            placeholder="no other run"
            data={comparable}
            value={against?.run ?? null}
            onChange={(other) => compareWith(other)}
            clearable
            clearButtonProps={{ 'aria-label': 'Compare with no other run' }}
            searchable={comparable.length > 8}
            w={{ base: '100%', xs: 210 }}
          />
        )}
        <SearchBox ref={search} words={filter.text ?? ''} onType={type} />
        <OrderSelect run={run} runs={runs} look={look} onChange={change} />
        {run.kinds.map(({ field, values }) => (
          <Select
            key={field}
            label={field}
            placeholder="any"
            clearable
            searchable={values.length > 8}
            data={values.map(({ value, count }) => ({
              value,
              label: `${value} (${count.toLocaleString('en')})`,
            }))}
            value={filter.meta?.field === field ? filter.meta.value : null}
            onChange={(value) => {
              const { meta: _, ...rest } = filter
              change({ ...look, filter: value === null ? rest : { ...rest, meta: { field, value } } })
            }}
            w={{ base: 'calc(50% - 5px)', xs: 168 }}
          />
        ))}
        <Button
          variant="default"
          hiddenFrom="md"
          onClick={() => setShowsFilters((shows) => !shows)}
          aria-expanded={showsFilters}
        >
          Values
        </Button>
      </div>
      <div className="row" style={{ justifyContent: 'space-between' }}>
        <p className="soft" aria-live="polite" data-testid="count">
          {count.data === undefined
            ? '…'
            : count.data.count === run.samples
              ? counted(run.samples, 'sample')
              : `${count.data.count.toLocaleString('en')} of ${counted(run.samples, 'sample')}`}
          {run.badRows > 0 && ` · ${counted(run.badRows, 'row')} could not be read`}
        </p>
        {text !== '-' && (
          <Button size="compact-sm" variant="subtle" onClick={() => change({})}>
            Show all
          </Button>
        )}
      </div>
      {against !== undefined && (
        <RunDifferences
          run={run}
          other={against.run}
          filter={filter}
          current={against.reward}
          onChoose={(reward) => compareWith(against.run, reward)}
        />
      )}
      <div className="browse">
        <ValueFilters
          run={run}
          filter={filter}
          onChange={(next) => change({ ...look, filter: next })}
          isShown={showsFilters}
        />
        <div style={{ minWidth: 0 }}>
          {pages.error && samples.length === 0 ? (
            <Problem error={pages.error} again={() => pages.refetch()} />
          ) : pages.isPending ? (
            <GridWaiting />
          ) : samples.length === 0 ? (
            <Empty title="No sample is like that">
              <p>Nothing in this run fits the search and the filters together.</p>
              <Button variant="default" onClick={() => change({})}>
                Show all
              </Button>
            </Empty>
          ) : (
            <SampleGrid
              samples={samples}
              rewards={run.rewards}
              order={query.order as SampleOrder}
              current={position}
              onOpen={open}
              hasMore={pages.hasNextPage}
              onMore={() => !pages.isFetchingNextPage && void pages.fetchNextPage()}
            />
          )}
        </div>
      </div>
      {position !== undefined && (
        <SampleDialog
          run={run}
          position={position}
          other={against?.run}
          onClose={() => open(undefined)}
          onOpen={open}
          {...(place >= 0 ? { place: place + 1, onStep: step } : {})}
        />
      )}
    </>
  )
}

function SearchBox({
  ref,
  words,
  onType,
}: {
  readonly ref: React.Ref<HTMLInputElement>
  readonly words: string
  readonly onType: (words: string) => void
}) {
  const [typed, setTyped] = useState(words)
  useEffect(() => setTyped(words), [words])
  return (
    <TextInput
      ref={ref}
      label="Search"
      placeholder="in ids, prompts, outputs, meta"
      type="search"
      leftSection={<Icon name="search" size={15} />}
      value={typed}
      onChange={({ currentTarget: { value } }) => {
        setTyped(value)
        onType(value)
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.preventDefault() // which would empty it
        event.currentTarget.blur()
      }}
      w={{ base: '100%', xs: 250 }}
    />
  )
}

/** Every order that the run's rewards offer; one of them may look into another run. */
function OrderSelect({
  run,
  runs,
  look,
  onChange,
}: {
  readonly run: RunDetail
  readonly runs: readonly RunHead[]
  readonly look: Look
  readonly onChange: (look: Look) => void
}) {
  const orders = useMemo(() => {
    const names = run.rewards.map(({ name }) => name)
    const list: { group: string; value: string; label: string; look: Look }[] = []
    const add = (group: string, label: string, order: SampleOrder, descending: boolean) =>
      list.push({ group, label, value: JSON.stringify([order, descending]), look: { order, descending } })
    add('Order', 'As in the data', { by: 'position' }, false)
    for (const reward of names) {
      add('By one reward', `${reward}, highest first`, { by: 'value', reward }, true)
      add('By one reward', `${reward}, lowest first`, { by: 'value', reward }, false)
    }
    for (const [index, first] of names.entries())
      for (const reward of names.slice(index + 1)) {
        const second = { reward }
        add(
          'Where two rewards disagree',
          `${first} or ${reward}: widest apart`,
          { by: 'disagreement', first, second },
          true,
        )
        add(
          'Where two rewards disagree',
          `${first} pays more than ${reward}`,
          { by: 'gap', first, second },
          true,
        )
        add(
          'Where two rewards disagree',
          `${reward} pays more than ${first}`,
          { by: 'gap', first, second },
          false,
        )
      }
    for (const other of runs)
      if (other.id !== run.id)
        for (const { name } of other.rewards.filter(({ name }) => names.includes(name)).slice(0, 6)) {
          const against = { first: name, second: { reward: name, run: other.id } }
          const group = 'Against another run'
          add(group, `${name} here or in ${other.id}: widest apart`, { by: 'disagreement', ...against }, true)
          add(group, `${name} here more than in ${other.id}`, { by: 'gap', ...against }, true)
          add(group, `${name} here less than in ${other.id}`, { by: 'gap', ...against }, false)
        }
    return list
  }, [runs, run])
  const value = JSON.stringify([look.order ?? { by: 'position' }, look.descending ?? false])
  return (
    <Select
      label="Order"
      data={[...Map.groupBy(orders, ({ group }) => group)].map(([group, items]) => ({
        group,
        items: items.map(({ value, label }) => ({ value, label })),
      }))}
      value={orders.some((order) => order.value === value) ? value : orders[0]!.value}
      onChange={(chosen) => {
        const found = orders.find((order) => order.value === chosen)
        if (found) onChange({ ...look, ...found.look })
      }}
      allowDeselect={false}
      searchable={orders.length > 14}
      w={{ base: '100%', xs: 290 }}
      maxDropdownHeight={420}
    />
  )
}
