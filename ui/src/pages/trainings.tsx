import { Link } from 'wouter'
import { encode, useAnswer } from '../api.ts'
import { moment } from '../format.ts'
import { Answered, Command, Empty } from '../parts/states.tsx'
import type { DocumentHead } from '../wire.ts'

/** Trainings and reproductions, newest first. */
export default function TrainingsPage() {
  const trainings = useAnswer<DocumentHead[]>('trainings', { every: 5000 })
  return (
    <>
      <div className="head">
        <div>
          <h1>Training and reproductions</h1>
          <p>
            Published systems learning from their rewards on small worlds: arms side by side, while they run
            and after.
          </p>
        </div>
      </div>
      <Answered query={trainings}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="Nothing is learning here yet">
              <p>
                A reproduction trains the arms of a published system over seeds and judges its claim. Its
                curves and outputs appear here from its first step.
              </p>
              <Command>npx guerdon reproduce toolrl --quick</Command>
            </Empty>
          ) : (
            <div className="cards">
              {list.map(({ kind, id, title, created }) => (
                <Link
                  key={`${kind} ${id}`}
                  href={`/training/${kind}/${encode(id)}`}
                  className="card stack"
                  style={{ gap: 6 }}
                >
                  <span className="tag accent" style={{ alignSelf: 'start' }}>
                    {kind}
                  </span>
                  <h2>{title}</h2>
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
