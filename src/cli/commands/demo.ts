import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { compare } from '../../apply/compare.ts'
import { rank } from '../../apply/rank.ts'
import { scoreRun } from '../../apply/run.ts'
import { scoredSamples } from '../../apply/scored-samples.ts'
import {
  GuerdonError,
  identityOf,
  type Reward,
  Rng,
  rewardIdentity,
  type Sample,
  type ScoredSample,
} from '../../core/index.ts'
import { writeRecords } from '../../data/index.ts'
import { resolveReward } from '../../methods/resolve.ts'
import { dispatch } from '../../rewards/combine/dispatch.ts'
import { figure, intervalFigure } from '../../stats/figure.ts'
import { type ShowcaseKind, showcase, showcaseKinds } from '../../worlds/showcase.ts'
import { type GlobalOptions, type Session, withSession } from '../session.ts'
import { printSummary } from '../summary.ts'
import { counted, table } from '../table.ts'
import { duration, type ExitCode, type Terminal } from '../terminal.ts'
import { writeReport } from './report.ts'
import { interrupted, openInBrowser, openUi } from './ui.ts'

interface DemoOptions extends GlobalOptions {
  readonly prompts: number
  readonly out: string
  readonly open: boolean
  /** Keep the page served where nobody sits at a terminal. */
  readonly serve?: boolean
  readonly port: number
}

const byKind = { field: 'kind', normalise: true } as const
const guarded: Record<ShowcaseKind, string> = {
  boxes: 'boxes',
  tools: 'tool-calls',
  svg: 'svg',
  chart: 'chart',
  maths: 'math',
}
/** The same answers as released code of published systems pays them; for maths, a search for the answer in the text. */
const careless: Record<ShowcaseKind, string> = {
  boxes: 'vlm-r1(variant=released, method=od_ap)',
  tools: 'toolrl(variant=released)',
  svg: 'sgp-rl(variant=released, textWeight=0, imageWeight=1, likeness=pixels)',
  chart: 'msrl(variant=released)',
  maths: 'contains',
}

/** The rewards of the demonstration, by the name that each has in the run. */
export function demoRewards(): Record<string, Reward> {
  const made = (expressions: Record<ShowcaseKind, string>) =>
    Object.fromEntries(showcaseKinds.map((kind) => [kind, resolveReward(expressions[kind])]))
  return {
    guarded: dispatch(made(guarded), { ...byKind, name: 'guarded' }),
    careless: dispatch(made(careless), { ...byKind, name: 'careless' }),
    length: resolveReward('length'),
  }
}

/** `guerdon demo`: the main job on a generated data set, from samples to a report and the page in the browser. */
export async function demo(options: DemoOptions, terminal: Terminal): Promise<ExitCode> {
  const started = performance.now()
  await mkdir(join(options.out, 'images'), { recursive: true })
  const samples = await showcase({ prompts: options.prompts })
  const file = join(options.out, 'samples.jsonl')
  await writeRecords(file, await Promise.all(samples.map((sample) => savedSample(sample, options.out))))
  const groups = options.prompts * showcaseKinds.length
  terminal.result(
    `${counted(samples.length, 'generated answer')} to ${counted(groups, 'prompt')} (${showcaseKinds.join(', ')}): right, flawed and adversarial`,
  )
  terminal.result(`data: ${file}\n`)

  return withSession<ExitCode>(
    { ...options, store: options.store ?? join(options.out, 'store.db') },
    async (session) => {
      const { store } = session
      const rewards = demoRewards()
      const id = `demo-${identityOf([options.prompts, ...Object.values(rewards).map(rewardIdentity)]).slice(0, 8)}`
      const summary = await scoreRun({
        samples: file,
        rewards,
        store,
        runId: id,
        context: { rng: new Rng('demo') },
        onProgress: ({ rows }) => terminal.progress('scoring', rows, samples.length),
      })
      terminal.progressEnd()
      printSummary(summary, terminal)

      terminal.result('\nbest of 9: what choosing by each reward earns in quality (known by construction)')
      const rows: string[][] = []
      const scored = await Array.fromAsync(scoredSamples(store, id))
      for (const by of Object.keys(rewards)) {
        const ranking = await rank(scored, { by, gold: 'meta.quality' })
        if (rows.length === 0) {
          rows.push(['at random', intervalFigure(ranking.outcomes.random), '', ''])
          rows.push(['the first', intervalFigure(ranking.outcomes.first), '', ''])
        }
        const agreement = await compare(scored, { first: by, second: 'meta.quality', resamples: 200 })
        const fooled = ranking.groups.filter(({ chosen }) =>
          recipeOf(scored, chosen[0]).startsWith('adversarial'),
        ).length
        rows.push([
          `best by ${by}`,
          intervalFigure(ranking.outcomes.chosen),
          `${figure(fooled)} of ${figure(ranking.groups.length)}`,
          intervalFigure(agreement.within.pairs.accuracy),
        ])
        if (by === Object.keys(rewards).at(-1))
          rows.push(['oracle', intervalFigure(ranking.outcomes.oracle), '', ''])
      }
      for (const line of table(
        ['choice', 'quality [95% interval]', 'adversarial chosen', 'pairs in the right order'],
        rows,
      ))
        terminal.result(`  ${line}`)

      explain(scored, terminal)
      const report = resolve(options.out, 'report.html')
      await writeReport(session, id, report, {
        gold: 'meta.quality',
        breakdown: 'meta.recipe',
        title: 'guerdon: five kinds of output, three rewards',
      })
      terminal.result(`\nreport with pictures: ${report}`)
      terminal.result(`done in ${duration((performance.now() - started) / 1000)}`)
      terminal.result('\nthe same on a file of your own:')
      terminal.result(
        '  npm run -s guerdon -- score answers.jsonl --reward math --reward "mix=0.7*math + 0.3*format"',
      )
      terminal.result('  npm run -s guerdon -- report last')
      if (options.serve || (options.open && process.stdout.isTTY)) await showPage(session, options, terminal)
      else {
        const store = relative(process.cwd(), session.store.location) || session.store.location
        terminal.result(
          `\nthe same to look at and to vote on, in the browser at http://127.0.0.1:${options.port}:\n  npm run -s guerdon -- ui --store ${store}`,
        )
      }
      // Towers of powers are in the set on purpose; that they cannot be judged is the right answer.
      return summary.failures > summary.rewards.guarded!.unscored ? 2 : 0
    },
  )
}

/** The page in the browser on what was just made, until it is interrupted. */
async function showPage(session: Session, options: DemoOptions, terminal: Terminal): Promise<void> {
  const server = await openUi(session, { port: options.port }).catch((error: unknown) => {
    // Another one is open there: any other port does.
    if (error instanceof GuerdonError && error.code === 'port-taken') return openUi(session, { port: 0 })
    throw error
  })
  terminal.result(`\nto look at and to vote on, in the browser: ${server.url}`)
  terminal.note('Ctrl+C ends it; "npm run -s guerdon -- ui --store ..." opens it again.')
  if (options.open && process.stdout.isTTY) openInBrowser(server.url)
  await interrupted()
  await server.close()
}

/** One prompt, candidate by candidate: the one with the widest gap between two rewards. */
function explain(scored: readonly ScoredSample[], terminal: Terminal): void {
  const gap = ({ scores }: ScoredSample) => {
    const [a, b] = [scores.guarded?.value ?? null, scores.careless?.value ?? null]
    return a === null || b === null ? 0 : Math.abs(a - b)
  }
  const worst = scored.reduce((a, b) => (gap(b) > gap(a) ? b : a))
  const group = scored.filter(({ sample }) => sample.group === worst.sample.group)
  terminal.result(`\nwhy: prompt ${worst.sample.group}, on which guarded and careless rewards differ most`)
  const rows = [...group]
    .sort((a, b) => (b.scores.guarded?.value ?? -1) - (a.scores.guarded?.value ?? -1))
    .map(({ sample, scores }) => [
      String(sample.meta.recipe),
      figure(Number(sample.meta.quality), 2),
      ...['guarded', 'careless', 'length'].map((name) => figure(scores[name]?.value ?? null, 2)),
      Object.entries(scores.guarded?.parts ?? {})
        .slice(0, 4)
        .map(([part, value]) => `${part} ${figure(value, 2)}`)
        .join(', '),
    ])
  for (const line of table(
    ['candidate', 'quality', 'guarded', 'careless', 'length', 'parts of guarded'],
    rows,
  ))
    terminal.result(`  ${line}`)
}

function recipeOf(scored: readonly ScoredSample[], id: string | undefined): string {
  return String(scored.find(({ sample }) => sample.id === id)?.sample.meta.recipe ?? '')
}

/** The sample as a row of the data file, its image as a file beside it. */
async function savedSample(sample: Sample, folder: string) {
  if (typeof sample.prompt === 'string') return { ...sample } as never
  const prompt = await Promise.all(
    (sample.prompt as readonly { type: string; image?: { bytes: Uint8Array } }[]).map(async (part) => {
      if (part.type !== 'image') return part
      const path = join('images', `${sample.group}.png`)
      await writeFile(join(folder, path), part.image!.bytes)
      return { type: 'image', image: { path } }
    }),
  )
  return { ...sample, prompt } as never
}
