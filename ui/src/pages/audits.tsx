import { Link } from 'wouter'
import { encode, useAnswer } from '../api.ts'
import { moment } from '../format.ts'
import { Answered, Command, Empty } from '../parts/states.tsx'
import type { DocumentHead } from '../wire.ts'

/** What has been audited and compared, newest first. */
export default function AuditsPage() {
  const documents = useAnswer<DocumentHead[]>('documents')
  return (
    <>
      <div className="head">
        <div>
          <h1>Audits and leaderboards</h1>
          <p>
            How far to trust a reward: benchmarks by their official rules, attacks, length, calibration. Every
            number opens the cases behind it.
          </p>
        </div>
      </div>
      <Answered query={documents}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="Nothing has been audited yet">
              <p>
                An audit attacks a reward and runs it through benchmarks; a leaderboard puts several side by
                side on the same items.
              </p>
              <Command>npx guerdon audit math --attacks</Command>
              <Command>npx guerdon leaderboard length exact --on pairs.jsonl</Command>
            </Empty>
          ) : (
            <div className="cards">
              {list.map(({ kind, id, title, created }) => (
                <Link
                  key={`${kind} ${id}`}
                  href={`/audits/${kind}/${encode(id)}`}
                  className="card stack"
                  style={{ gap: 6 }}
                >
                  <span className="tag accent" style={{ alignSelf: 'start' }}>
                    {kind}
                  </span>
                  <h2 style={{ overflowWrap: 'anywhere' }}>{title}</h2>
                  <span className="soft small">{moment(created)}</span>
                </Link>
              ))}
            </div>
          )
        }
      </Answered>
    </>
  )
}
