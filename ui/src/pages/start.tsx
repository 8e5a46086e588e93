import { Link } from 'wouter'
import { encode, useAnswer } from '../api.ts'
import { counted, moment } from '../format.ts'
import { Icon } from '../parts/icon.tsx'
import { Answered, Command, Empty } from '../parts/states.tsx'
import type { Overview } from '../wire.ts'
import { lookText } from './look.ts'

/** What is in the store, and where to begin. */
export function StartPage() {
  const overview = useAnswer<Overview>('overview')
  return (
    <>
      <div className="head">
        <div>
          <h1>What is here</h1>
          <p>
            Rewards turn "what good looks like" into numbers. Here you can see what they say, and how far to
            trust it.
          </p>
        </div>
      </div>
      <Answered query={overview}>{(answer) => <Inside overview={answer} />}</Answered>
    </>
  )
}

function Inside({ overview }: { readonly overview: Overview }) {
  const { runs, documents, votes, store } = overview
  const [newest] = runs
  const [comparable] =
    newest === undefined
      ? []
      : runs.slice(1).flatMap((run) => {
          // Another run on the same data, with a reward that the newest has too.
          const known = new Set(run.source !== newest.source ? [] : run.rewards.map(({ name }) => name))
          const reward = newest.rewards.find(({ name }) => known.has(name))?.name
          return reward === undefined ? [] : [{ run: run.id, reward }]
        })
  const of = (...kinds: string[]) => documents.filter(({ kind }) => kinds.includes(kind))
  return (
    <>
      {newest === undefined ? (
        <Empty title="The store has no runs yet">
          <p>
            Score a file of your own, or look at the generated examples first: five kinds of output, three
            rewards.
          </p>
          <Command>npx guerdon score answers.jsonl --reward math</Command>
          <Command>npx guerdon demo</Command>
          <Link href="/playground">Or write a sample by hand in the playground</Link>
        </Empty>
      ) : (
        <section className="stack" aria-labelledby="begin">
          <h2 id="begin">Where to begin</h2>
          <div className="cards four">
            <Begin
              href={`/samples/${encode(newest.id)}`}
              icon="samples"
              title={`Look at ${counted(newest.samples, 'sample')}`}
            >
              The newest run, {newest.id}, with every picture, box and span that its{' '}
              {counted(newest.rewards.length, 'reward')} rest on.
            </Begin>
            {newest.rewards.length > 1 && (
              <Begin
                href={`/samples/${encode(newest.id)}/${lookText({
                  order: {
                    by: 'disagreement',
                    first: newest.rewards[0]!.name,
                    second: { reward: newest.rewards[1]!.name },
                  },
                  descending: true,
                })}`}
                icon="audits"
                title="See where rewards disagree most"
              >
                {newest.rewards[0]!.name} against {newest.rewards[1]!.name}, widest apart first: one of them
                is wrong there.
              </Begin>
            )}
            {comparable !== undefined && (
              <Begin
                href={`/samples/${encode(newest.id)}/${lookText({
                  order: {
                    by: 'disagreement',
                    first: comparable.reward,
                    second: { reward: comparable.reward, run: comparable.run },
                  },
                  descending: true,
                })}`}
                icon="samples"
                title={`Compare it with ${comparable.run}`}
              >
                The same samples in both runs side by side, widest apart by {comparable.reward} first.
              </Begin>
            )}
            <Begin href="/votes" icon="votes" title="Let people decide">
              Blinded pairs, side by side, by keyboard. Votes become preference pairs and live ratings.
            </Begin>
            <Begin href="/playground" icon="playground" title="Try a sample of your own">
              Draw boxes, edit a drawing, type an answer: every part of every reward moves as you do.
            </Begin>
          </div>
        </section>
      )}
      {runs.length > 0 && (
        <section className="stack" aria-labelledby="runs">
          <h2 id="runs">Runs</h2>
          <div className="card scroll">
            <table className="plain">
              <thead>
                <tr>
                  <th>run</th>
                  <th className="n">samples</th>
                  <th>rewards</th>
                  <th>data</th>
                  <th>status</th>
                  <th>made</th>
                </tr>
              </thead>
              <tbody>
                {runs.map(({ id, samples, rewards, source, status, created }) => (
                  <tr key={id}>
                    <td>
                      <Link href={`/samples/${encode(id)}`}>{id}</Link>
                    </td>
                    <td className="n">{samples.toLocaleString('en')}</td>
                    <td>{rewards.map(({ name }) => name).join(', ')}</td>
                    <td className="soft">{source ?? ''}</td>
                    <td>
                      <span className={`tag ${status === 'complete' ? 'good' : 'accent'}`}>{status}</span>
                    </td>
                    <td className="soft nowrap">{moment(created)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      <section className="stack" aria-labelledby="more">
        <h2 id="more">Beside runs</h2>
        <div className="cards">
          <Tally
            href="/audits"
            count={of('audit', 'leaderboard').length}
            noun="audit or leaderboard"
            plural="audits and leaderboards"
            how="guerdon audit math --attacks"
          />
          <Tally
            href="/training"
            count={of('reproduction', 'training').length}
            noun="training or reproduction"
            plural="trainings and reproductions"
            how="guerdon reproduce toolrl"
          />
          <Tally href="/votes" count={votes} noun="vote" plural="votes" how="begin a task under Votes" />
        </div>
        <p className="soft small">
          Store: {store}. Press <kbd>?</kbd> for the keys of any page.
        </p>
      </section>
    </>
  )
}

function Begin({
  href,
  icon,
  title,
  children,
}: {
  readonly href: string
  readonly icon: Parameters<typeof Icon>[0]['name']
  readonly title: string
  readonly children: React.ReactNode
}) {
  return (
    <Link href={href} className="card stack" style={{ gap: 6 }}>
      <span style={{ color: 'var(--accent)' }}>
        <Icon name={icon} size={22} />
      </span>
      <h3>{title}</h3>
      <p className="soft">{children}</p>
    </Link>
  )
}

function Tally(props: {
  readonly href: string
  readonly count: number
  readonly noun: string
  readonly plural: string
  readonly how: string
}) {
  return (
    <Link href={props.href} className="card stack" style={{ gap: 2 }}>
      <b style={{ fontSize: '1.3rem' }}>{props.count.toLocaleString('en')}</b>
      <span>{props.count === 1 ? props.noun : props.plural}</span>
      {props.count === 0 && <span className="soft small">none yet: {props.how}</span>}
    </Link>
  )
}
