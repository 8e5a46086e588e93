// Scoring of SGP-GenBench, which asks a judge what a rendered SVG program shows. @source arXiv 2509.05208, section 4

/** What the judge may answer. Mind that 50 and 30 say opposite things of bindings and of relations. */
const anchorScores = [100, 50, 30, 0] as const

/**
 * The judge's score: the token after "SCORE:" if it is one of the anchors; else the last anchor that stands in the
 * text; else 0, as the benchmark counts it (`read` is false then).
 */
export function readAnchorScore(verdict: string): {
  readonly score: (typeof anchorScores)[number]
  readonly read: boolean
} {
  const announced = /SCORE:\s*(\d+)/i.exec(verdict)?.[1]
  const last = [...verdict.matchAll(/(?<!\d)(?:100|50|30|0)(?!\d)/g)].at(-1)?.[0]
  const score =
    anchorScores.find((anchor) => String(anchor) === announced) ??
    anchorScores.find((anchor) => String(anchor) === last)
  return { score: score ?? 0, read: score !== undefined }
}

/**
 * Numeracy, a whole number in [0, 100]: 0.2 total + 0.2 item + 0.6 mean of the counts per item (0 for none), cut off.
 */
export function numeracyScore(total: number, item: number, counts: readonly number[]): number {
  const mean = counts.length === 0 ? 0 : counts.reduce((sum, count) => sum + count, 0) / counts.length
  return Math.trunc(0.2 * total + 0.2 * item + 0.6 * mean)
}

/** Average of SGP-CompBench: over its 3,200 prompts, not over its three categories. */
export function compBenchAverage({
  binding,
  relation,
  numeracy,
}: Readonly<Record<'binding' | 'relation' | 'numeracy', number>>): number {
  return (1200 * binding + 1200 * relation + 800 * numeracy) / 3200
}
