import type { ItemResult } from '../audit/benchmarks/index.ts'
import type { Picture, SampleViewOptions } from '../audit/report/sample-view.ts'
import {
  identityOf,
  imagesOf,
  type Json,
  type JsonObject,
  promptText,
  type Turns,
  textOf,
} from '../core/index.ts'
import type { BootstrapInterval, Calibration, Rating } from '../stats/index.ts'
import type { KeptDocument } from '../store/index.ts'
import type { Audit, LengthFindings } from './audit.ts'
import { type Case, caseOf } from './audit-cases.ts'
import { type AuditVerdict, auditVerdict, type MissedLimit } from './audit-verdict.ts'
import type { Leaderboard, PairedDifference } from './leaderboard.ts'

/** What an audit or a leaderboard came to, as the store keeps it and the page shows it: plain JSON. */

export interface KeptCase {
  readonly title: string
  readonly note: string
  readonly prompt: string
  /** Pictures of the prompt as data addresses, or why there are none. */
  readonly images: readonly (Picture | string)[]
  readonly sides: readonly {
    readonly title: string
    readonly output: string
    readonly value: number | null
    readonly tags: Case['sides'][number]['tags']
  }[]
}

/** The outcome of one item, in few letters: `[item, subset, outcome, margin]`. */
export type KeptOutcome = readonly [item: string, subset: string, outcome: string, margin: number | null]

export interface KeptScore {
  readonly name: string
  readonly score: number | null
  readonly interval: BootstrapInterval | null
  readonly items: number
  readonly counted: number
  readonly right: number
  readonly wrong: number
  readonly ties: number
  readonly unresolved: number
}

export interface KeptBenchmark {
  readonly name: string
  readonly title: string
  readonly summary: string
  readonly chance: number | null
  readonly headline: KeptScore
  readonly sections: readonly KeptScore[]
  readonly subsets: readonly KeptScore[]
  readonly unscored: { readonly total: number; readonly byCode: Readonly<Record<string, number>> }
  readonly length: LengthFindings | null
  readonly calibration: Calibration | null
  readonly outcomes: readonly KeptOutcome[]
  /** By item. Not every item has one: see `casesKept`. */
  readonly cases: Readonly<Record<string, KeptCase>>
}

export interface KeptAttack {
  readonly attack: string
  readonly family: string
  readonly summary: string
  readonly trials: number
  readonly unscored: number
  readonly rate: { readonly estimate: number; readonly low: number; readonly high: number } | null
  readonly shift: BootstrapInterval | null
  readonly variants: readonly {
    readonly name: string
    readonly trials: number
    readonly rate: number | null
  }[]
  readonly examples: readonly KeptCase[]
}

export interface KeptAudit {
  readonly name: string
  readonly kind: string
  readonly identity: string
  readonly seed: string
  readonly verdict: AuditVerdict
  readonly missed: readonly MissedLimit[]
  readonly judgements: number
  readonly benchmarks: readonly KeptBenchmark[]
  readonly attacks: {
    readonly accept: number
    readonly recall: KeptAttack['rate']
    readonly falsePositives: KeptAttack['rate']
    readonly attacks: readonly KeptAttack[]
  } | null
  readonly nonsense: readonly {
    readonly target: string
    readonly attack: string
    readonly output: string
    readonly most: number
    readonly earned: number | null
    readonly isPaid: boolean
  }[]
}

export interface KeptLeaderboard {
  readonly overall: readonly (Rating & { readonly judge: string })[] | null
  readonly boards: readonly {
    readonly name: string
    readonly title: string
    readonly chance: number | null
    readonly items: number
    readonly rows: readonly {
      readonly judge: string
      readonly place: number
      readonly likeIt: readonly string[]
      readonly headline: KeptScore
      readonly length: LengthFindings | null
      readonly outcomes: readonly KeptOutcome[]
    }[]
    readonly differences: readonly PairedDifference[]
    readonly cases: Readonly<Record<string, KeptCase>>
  }[]
}

/** Items of a benchmark whose texts are kept, those where a judge was wrong first, and those with pictures. */
const casesKept = 300
const picturesKept = 60
const outcomesKept = 20_000
/** Longest text [UTF-16 code units]. */
const textKept = 4000

type PictureOf = SampleViewOptions['picture']

/** An audit as a document of the store. The same audit again takes the place of the one before. */
export async function auditDocument(
  audit: Audit,
  {
    created,
    missed = [],
    picture,
  }: { readonly created: string; readonly missed?: readonly MissedLimit[]; readonly picture: PictureOf },
): Promise<KeptDocument> {
  const benchmarks: KeptBenchmark[] = []
  for (const { benchmark, result, length, calibration } of audit.benchmarks) {
    const { name, title, summary } = benchmark.spec
    benchmarks.push({
      name,
      title,
      summary,
      chance: result.chance ?? null,
      headline: result.headline,
      sections: result.sections,
      subsets: result.subsets,
      unscored: result.unscored,
      length: length ?? null,
      calibration: calibration ?? null,
      outcomes: outcomesOf(result.rows),
      cases: await casesOf([result.rows], title, picture),
    })
  }
  const { attacks } = audit
  const content: KeptAudit = {
    name: audit.name,
    kind: audit.kind,
    identity: audit.identity,
    seed: audit.seed,
    verdict: auditVerdict(audit),
    missed,
    judgements: audit.judgements,
    benchmarks,
    attacks: attacks
      ? {
          accept: attacks.scale.accept,
          recall: attacks.natural.recall,
          falsePositives: attacks.natural.falsePositives,
          attacks: await Promise.all(
            attacks.attacks.map(async ({ examples, expects: _, ...attack }) => ({
              ...attack,
              examples: await Promise.all(
                examples.map(({ item, variant, before, after, sample }) =>
                  keptCase(
                    {
                      title: item,
                      note: variant,
                      prompt: sample.prompt,
                      sides: [
                        {
                          title: before === null ? 'judged' : `judged; ${before.toFixed(3)} as it was`,
                          output: sample.output,
                          value: after,
                          tags: [],
                        },
                      ],
                    },
                    picture,
                  ),
                ),
              ),
            })),
          ),
        }
      : null,
    nonsense: audit.targets.flatMap(({ target, probes }) =>
      probes.map(({ attack, output, most, score, isPaid }) => ({
        target: target.note ?? target.reward,
        attack,
        output: shortened(textIn(output)),
        most,
        earned: score.value,
        isPaid,
      })),
    ),
  }
  const on = audit.benchmarks.map(({ benchmark }) => benchmark.spec.name)
  return {
    kind: 'audit',
    id: identityOf([audit.name, audit.identity, audit.seed, on, attacks !== undefined]).slice(0, 16),
    created,
    title: audit.name,
    content: plain(content),
  }
}

/** A leaderboard as a document of the store. */
export async function leaderboardDocument(
  { boards, overall, seed }: Leaderboard,
  { created, picture }: { readonly created: string; readonly picture: PictureOf },
): Promise<KeptDocument> {
  const kept: KeptLeaderboard['boards'][number][] = []
  for (const { benchmark, rows, differences } of boards)
    kept.push({
      name: benchmark.spec.name,
      title: benchmark.spec.title,
      chance: benchmark.spec.chance ?? null,
      items: benchmark.items.length,
      rows: rows.map(({ judge, place, likeIt, result, length }) => ({
        judge,
        place,
        likeIt,
        headline: result.headline,
        length,
        outcomes: outcomesOf(result.rows),
      })),
      differences,
      cases: await casesOf(
        rows.map(({ result }) => result.rows),
        benchmark.spec.title,
        picture,
      ),
    })
  const judges = boards[0]?.rows.map(({ judge }) => judge).sort() ?? []
  const on = boards.map(({ benchmark }) => benchmark.spec.name)
  return {
    kind: 'leaderboard',
    id: identityOf([judges, on, seed]).slice(0, 16),
    created,
    title: `${judges.length} rewards on ${boards.map(({ benchmark }) => benchmark.spec.title).join(', ')}`,
    content: plain({ overall, boards: kept } satisfies KeptLeaderboard),
  }
}

function outcomesOf(rows: readonly ItemResult[]): KeptOutcome[] {
  return rows
    .slice(0, outcomesKept)
    .map(({ item, subset, outcome, margin }) => [item.id, subset, outcome, margin])
}

/** Cases of the items that some judge got wrong, the surest errors first; then of those without a verdict, then of others. */
async function casesOf(
  judges: readonly (readonly ItemResult[])[],
  benchmark: string,
  picture: PictureOf,
): Promise<Record<string, KeptCase>> {
  const worst = new Map<string, ItemResult>()
  for (const row of judges.flat()) {
    const before = worst.get(row.item.id)
    if (before === undefined || rank(row) < rank(before)) worst.set(row.item.id, row)
  }
  const chosen = [...worst.values()].sort((a, b) => rank(a) - rank(b)).slice(0, casesKept)
  const cases: Record<string, KeptCase> = {}
  let pictures = 0
  for (const row of chosen) {
    const { note: _, ...found } = caseOf(row, benchmark)
    const several = judges.length > 1
    const kept = await keptCase(
      {
        ...found,
        note: row.item.subset,
        // Of several judges no single one's numbers and preferences are shown.
        sides: several
          ? found.sides.map((side) => ({
              ...side,
              value: null,
              tags: side.tags.filter(({ tone }) => tone === 'good'),
            }))
          : found.sides,
      },
      pictures < picturesKept ? picture : async () => 'pictures are kept of the first cases alone',
    )
    pictures += kept.images.length
    cases[row.item.id] = kept
  }
  return cases
}

function rank({ margin, outcome }: ItemResult): number {
  if (margin === null) return outcome === 'unresolved' ? 0 : 1
  return margin
}

async function keptCase({ title, note, prompt, sides }: Case, picture: PictureOf): Promise<KeptCase> {
  const sources = [prompt, ...sides.map(({ output }) => output)].flatMap(imagesOf).slice(0, 12)
  return {
    title,
    note,
    prompt: shortened(promptText(prompt)),
    images: await Promise.all(sources.map(picture)),
    sides: sides.map(({ title, output, value, tags }) => ({
      title,
      output: shortened(textIn(output)),
      value: value ?? null,
      tags,
    })),
  }
}

function textIn(turns: Turns): string {
  const text = textOf(turns)
  if (text !== '' || typeof turns === 'string') return text
  return JSON.stringify(turns, (key, value: Json) => (key === 'bytes' ? undefined : value))
}

function shortened(text: string): string {
  return text.length <= textKept ? text : `${text.slice(0, textKept)} …`
}

/** As JSON gives it back. */
function plain(content: object): JsonObject {
  return JSON.parse(JSON.stringify(content))
}
