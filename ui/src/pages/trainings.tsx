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
            Reproductions of published systems, reward models, and trainings of your own: arms side by side,
            while they run and after.
          </p>
        </div>
      </div>
      <Answered query={trainings}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="Nothing is learning here yet">
              <p>
                A reproduction trains the arms of a published system over seeds and judges its claim; a reward
                model learns from pairs; a script of your own writes logs into a folder. Curves appear here
                from the first step.
              </p>
              <Command>npx guerdon reproduce toolrl --quick</Command>
              <Command>npx guerdon train reward pairs.jsonl --out my-reward</Command>
              <Command>npx guerdon ui --logs runs</Command>
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
