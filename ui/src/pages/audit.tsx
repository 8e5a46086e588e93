import { Drawer } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { encode, useAnswer } from '../api.ts'
import { counted, figure, interval, moment, percent } from '../format.ts'
import { CaseCard, type CasesBehind, CasesDrawer } from '../parts/cases.tsx'
import { Chart } from '../parts/chart.tsx'
import { Spread } from '../parts/scores.tsx'
import { Answered } from '../parts/states.tsx'
import type { KeptAttack, KeptAudit, KeptBenchmark, KeptDocumentOf, KeptScore } from '../wire.ts'

/** One audit: the verdict first, then the numbers; a click on a number shows what is behind it. */
export default function AuditPage({ id }: { readonly id: string }) {
  const audit = useAnswer<KeptDocumentOf<KeptAudit>>(`documents/audit/${encode(id)}`)
  const [behind, setBehind] = useState<CasesBehind | null>(null)
  const [attack, setAttack] = useState<KeptAttack | null>(null)
  return (
    <Answered query={audit}>
      {({ content, created }) => (
        <>
          <div className="head">
            <div>
              <p className="small">
                <Link href="/audits">Audits</Link>
              </p>
              <h1 style={{ overflowWrap: 'anywhere' }}>{content.name}</h1>
              <p>
                A {content.kind} · {counted(content.judgements, 'judgement')} · {moment(created)}
              </p>
            </div>
          </div>
          <VerdictCards audit={content} />
          {content.benchmarks.map((benchmark) => (
            <Benchmark key={benchmark.name} benchmark={benchmark} onShow={setBehind} />
          ))}
          {content.attacks && <Attacks attacks={content.attacks} onShow={setAttack} />}
          {content.nonsense.length > 0 && <Nonsense nonsense={content.nonsense} />}
          <p className="soft small">
            Brackets are 95% intervals over clusters of items. What could not be judged is counted and never a
            silent 0. Seed {content.seed}, identity {content.identity.slice(0, 12)}.
          </p>
          <CasesDrawer behind={behind} onClose={() => setBehind(null)} />
          <Drawer
            opened={attack !== null}
            onClose={() => setAttack(null)}
            position="right"
            size="min(860px, 100vw)"
            title={<b>{attack?.attack}</b>}
            closeButtonProps={{ 'aria-label': 'Close' }}
          >
            {attack && <AttackCases attack={attack} />}
          </Drawer>
        </>
      )}
    </Answered>
  )
}

function VerdictCards({ audit: { verdict, missed } }: { readonly audit: KeptAudit }) {
  const cards = [
    { title: 'Good for', tone: 'good', list: verdict.goodFor, none: 'Nothing was shown.' },
    { title: 'Fails at', tone: 'bad', list: verdict.failsAt, none: 'Nothing was found.' },
    { title: 'Costs', tone: 'soft', list: verdict.costs, none: '' },
  ]
  return (
    <>
      {missed.length > 0 && (
        <div className="card" style={{ borderColor: 'var(--bad)' }}>
          <h2 className="bad">Limits not kept</h2>
          <ul className="findings">
            {missed.map(({ what, limit, value }) => (
              <li key={what}>
                {what}: {figure(value)}, the limit is {figure(limit)}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div className="cards">
        {cards.map(({ title, tone, list, none }) => (
          <section className="card" key={title}>
            <h2 className={tone}>{title}</h2>
            {list.length === 0 ? (
              <p className="soft">{none}</p>
            ) : (
              <ul className="findings">
                {list.map(({ text }) => (
                  <li key={text}>{text}</li>
                ))}
              </ul>
            )}
          </section>
        ))}
      </div>
    </>
  )
}

function Benchmark({
  benchmark,
  onShow,
}: {
  readonly benchmark: KeptBenchmark
  readonly onShow: (behind: CasesBehind) => void
}) {
  const { title, summary, chance, headline, subsets, outcomes, cases, unscored, length, calibration } =
    benchmark
  const show = (name: string, subset?: string) =>
    onShow({
      title: subset === undefined ? title : `${title}: ${name}`,
      outcomes: subset === undefined ? outcomes : outcomes.filter((outcome) => outcome[1] === subset),
      cases,
    })
  const rows = subsets.length > 1 ? subsets : []
  return (
    <section className="card stack">
      <div className="between">
        <h2>{title}</h2>
        <span className="soft small">{counted(headline.items, 'item')}</span>
      </div>
      <p className="soft">{summary}</p>
      <div className="scroll">
        <table className="plain">
          <thead>
            <tr>
              <th>subset</th>
              <th className="n">score</th>
              <th style={{ width: '34%' }}>95% interval{chance !== null && ' (dashed: chance)'}</th>
              <th className="n">right</th>
              <th className="n">wrong</th>
              <th className="n">ties</th>
              <th className="n">not judged</th>
            </tr>
          </thead>
          <tbody>
            <ScoreRow
              score={{ ...headline, name: 'overall' }}
              chance={chance}
              onShow={() => show(title)}
              isMain
            />
            {rows.map((score) => (
              <ScoreRow
                key={score.name}
                score={score}
                chance={chance}
                onShow={() => show(score.name, score.name)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {unscored.total > 0 && (
        <p className="soft">
          Not judged:{' '}
          {Object.entries(unscored.byCode)
            .map(([code, count]) => `${count} ${code}`)
            .join(', ')}
          .
        </p>
      )}
      {length?.gap && (
        <p>
          <b>Length.</b> Right in {percent(length.whenAligned?.estimate)} of pairs whose better answer is the
          longer one, in {percent(length.whenOpposed?.estimate)} where it is the shorter: a gap of{' '}
          {figure(length.gap.estimate, 2)} <span className="soft">{interval(length.gap, 2)}</span>.
        </p>
      )}
      {calibration && <Calibration calibration={calibration} />}
    </section>
  )
}

function ScoreRow({
  score,
  chance,
  onShow,
  isMain = false,
}: {
  readonly score: KeptScore
  readonly chance: number | null
  readonly onShow: () => void
  readonly isMain?: boolean
}) {
  const domain = [Math.min(0, score.interval?.low ?? 0), Math.max(1, score.interval?.high ?? 1)] as const
  return (
    <tr>
      <td>{isMain ? <b>{score.name}</b> : score.name}</td>
      <td className="n">
        <button
          type="button"
          className="link"
          onClick={onShow}
          aria-label={`${figure(score.score)}, cases behind ${score.name}`}
        >
          {isMain ? <b>{figure(score.score)}</b> : figure(score.score)}
        </button>
      </td>
      <td title={interval(score.interval)}>
        <div className="row" style={{ flexWrap: 'nowrap' }}>
          <Spread of={score.interval} domain={domain} chance={chance} />
          <span className="soft small nowrap">{interval(score.interval, 2)}</span>
        </div>
      </td>
      <td className="n">{figure(score.right)}</td>
      <td className="n">{figure(score.wrong)}</td>
      <td className="n">{figure(score.ties)}</td>
      <td className="n">{figure(score.unresolved)}</td>
    </tr>
  )
}

function Calibration({ calibration }: { readonly calibration: NonNullable<KeptBenchmark['calibration']> }) {
  const [spec] = useState(() => ({
    data: {
      values: calibration.bins.flatMap(({ meanProbability, frequency, count }) =>
        meanProbability === null || frequency === null
          ? []
          : [
              {
                said: meanProbability,
                was: frequency.estimate,
                low: frequency.low,
                high: frequency.high,
                count,
              },
            ],
      ),
    },
    layer: [
      {
        data: {
          values: [
            { x: 0, y: 0 },
            { x: 1, y: 1 },
          ],
        },
        mark: { type: 'line' as const, strokeDash: [4, 4], color: '#888' },
        encoding: {
          x: { field: 'x', type: 'quantitative' as const },
          y: { field: 'y', type: 'quantitative' as const },
        },
      },
      {
        mark: { type: 'rule' as const, color: '#4f6fe0', strokeWidth: 2 },
        encoding: {
          x: { field: 'said', type: 'quantitative' as const, title: 'how sure it was' },
          y: { field: 'low', type: 'quantitative' as const, title: 'how often it was right' },
          y2: { field: 'high' },
        },
      },
      {
        mark: { type: 'point' as const, filled: true, color: '#4f6fe0', size: 60 },
        encoding: {
          x: { field: 'said', type: 'quantitative' as const },
          y: { field: 'was', type: 'quantitative' as const },
        },
      },
    ],
  }))
  return (
    <div className="stack" style={{ maxWidth: 460 }}>
      <h3>Calibration</h3>
      <Chart
        spec={spec as never}
        height={240}
        label="how sure the judge was, against how often it was right"
      />
      <p className="soft small">
        Expected error {figure(calibration.expectedError)}, Brier {figure(calibration.brier)}, over{' '}
        {counted(calibration.n, 'verdict')}.
      </p>
    </div>
  )
}

function Attacks({
  attacks,
  onShow,
}: {
  readonly attacks: NonNullable<KeptAudit['attacks']>
  readonly onShow: (attack: KeptAttack) => void
}) {
  const sorted = [...attacks.attacks].sort((a, b) => (b.rate?.estimate ?? -1) - (a.rate?.estimate ?? -1))
  return (
    <section className="card stack">
      <h2>Attacks</h2>
      <p className="soft">
        Without attacks it accepts {percent(attacks.recall?.estimate)} of good answers and{' '}
        {percent(attacks.falsePositives?.estimate)} of bad ones (accepted: above {figure(attacks.accept)}).
      </p>
      <div className="scroll">
        <table className="plain">
          <thead>
            <tr>
              <th>attack</th>
              <th className="n">succeeds</th>
              <th style={{ width: '30%' }}>95% interval</th>
              <th className="n">trials</th>
              <th>worst variant</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((attack) => (
              <tr key={attack.attack}>
                <td>
                  <b>{attack.attack}</b> <span className="soft small">{attack.family}</span>
                  <div className="soft small">{attack.summary}</div>
                </td>
                <td className="n">
                  <button
                    type="button"
                    className={`link ${(attack.rate?.estimate ?? 0) > 0.1 ? 'bad' : ''}`}
                    onClick={() => onShow(attack)}
                    aria-label={`${percent(attack.rate?.estimate)}, cases behind ${attack.attack}`}
                  >
                    {percent(attack.rate?.estimate)}
                  </button>
                </td>
                <td>
                  <Spread of={attack.rate} domain={[0, 1]} />
                </td>
                <td className="n">
                  {figure(attack.trials)}
                  {attack.unscored > 0 && <div className="soft small">{attack.unscored} not judged</div>}
                </td>
                <td className="soft">{worstOf(attack)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function worstOf({ variants }: KeptAttack): string {
  const [worst] = [...variants].sort((a, b) => (b.rate ?? -1) - (a.rate ?? -1))
  return worst === undefined || !worst.rate ? '' : `${worst.name} (${percent(worst.rate)})`
}

function AttackCases({ attack }: { readonly attack: KeptAttack }) {
  return (
    <div className="stack">
      <p>{attack.summary}</p>
      <table className="plain">
        <tbody>
          {attack.variants.map(({ name, trials, rate }) => (
            <tr key={name}>
              <td style={{ overflowWrap: 'anywhere' }}>{name}</td>
              <td className="n">{percent(rate)}</td>
              <td className="n soft small">{counted(trials, 'trial')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {attack.examples.length === 0 ? (
        <p className="soft">It never succeeded: there is no case to show.</p>
      ) : (
        attack.examples.map((one) => <CaseCard key={`${one.title} ${one.note}`} one={one} />)
      )}
    </div>
  )
}

function Nonsense({ nonsense }: { readonly nonsense: KeptAudit['nonsense'] }) {
  const paid = nonsense.filter(({ isPaid }) => isPaid)
  return (
    <section className="card stack">
      <h2>Built-in nonsense</h2>
      <p className="soft">
        {paid.length === 0
          ? `It pays for none of ${counted(nonsense.length, 'worthless output')}.`
          : `It pays for ${paid.length} of ${counted(nonsense.length, 'worthless output')}.`}
      </p>
      {paid.length > 0 && (
        <div className="scroll">
          <table className="plain">
            <thead>
              <tr>
                <th>what</th>
                <th>output</th>
                <th className="n">may earn</th>
                <th className="n">earned</th>
              </tr>
            </thead>
            <tbody>
              {paid.map(({ target, attack, output, most, earned }) => (
                <tr key={`${target} ${attack} ${output}`}>
                  <td>
                    {attack}
                    <div className="soft small">{target}</div>
                  </td>
                  <td className="mono" style={{ overflowWrap: 'anywhere' }}>
                    {output.slice(0, 300)}
                  </td>
                  <td className="n">{figure(most)}</td>
                  <td className="n bad">{figure(earned)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
