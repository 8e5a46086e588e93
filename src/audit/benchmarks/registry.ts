import { GuerdonError, nearest } from '../../core/index.ts'
import type { BenchmarkSpec } from './benchmark.ts'
import { type LoadBenchmarkOptions, loadBenchmark } from './load-benchmark.ts'
import type { Benchmark } from './run-benchmark.ts'
import { finegrainedQa } from './sets/finegrained-qa.ts'
import { halueval } from './sets/halueval.ts'
import { hhRlhfHarmless } from './sets/hh-rlhf.ts'
import { hhhAlignment } from './sets/hhh-alignment.ts'
import { imagePairs } from './sets/image-pairs.ts'
import { imageinwords } from './sets/imageinwords.ts'
import { imagereward } from './sets/imagereward.ts'
import { llmbar } from './sets/llmbar.ts'
import { mHalDetect, scenesHallucination } from './sets/m-haldetect.ts'
import { mRewardBench, textLanguagesBenchmark } from './sets/m-rewardbench.ts'
import { mtbenchHuman } from './sets/mtbench-human.ts'
import { openChairBenchmark, scenesOpenChair } from './sets/openchair.ts'
import { pandalm } from './sets/pandalm.ts'
import { pathEval, paths, pathsDescribed } from './sets/patheval.ts'
import { prmbench } from './sets/prmbench.ts'
import { rabench, textPrinciples } from './sets/rabench.ts'
import { rewardBench, rewardBenchPriorSets } from './sets/rewardbench.ts'
import { rewardBench2, textRewardBench2 } from './sets/rewardbench-2.ts'
import { rmBench } from './sets/rm-bench.ts'
import { scenesPreference } from './sets/scenes-preference.ts'
import { sgpCompBench } from './sets/sgp-compbench.ts'
import { sugarcrepe } from './sets/sugarcrepe.ts'
import { textAdversarial, textPreference } from './sets/text-preference.ts'
import { ukpConvarg } from './sets/ukp-convarg.ts'
import { valse } from './sets/valse.ts'
import { scenesViCrit, viCritBench } from './sets/vicrit-bench.ts'
import { vilbench } from './sets/vilbench.ts'
import { vlRewardBench } from './sets/vl-rewardbench.ts'

const specs: readonly BenchmarkSpec[] = [
  // Published benchmarks of rewards and judges.
  rewardBench2,
  rewardBench,
  rewardBenchPriorSets,
  rmBench,
  mRewardBench,
  vlRewardBench,
  rabench,
  vilbench,
  mHalDetect,
  imageinwords,
  imagereward,
  imagePairs,
  pathEval,
  // Published benchmarks of those who answer.
  viCritBench,
  openChairBenchmark(),
  sgpCompBench(),
  // Preferences and verdicts of people.
  llmbar,
  mtbenchHuman,
  pandalm,
  hhhAlignment,
  hhRlhfHarmless,
  ukpConvarg,
  finegrainedQa,
  prmbench,
  halueval,
  sugarcrepe,
  valse,
  // Made on the spot; these need no data.
  scenesPreference,
  scenesHallucination,
  scenesViCrit,
  scenesOpenChair,
  textPreference,
  textAdversarial,
  textRewardBench2,
  textPrinciples,
  textLanguagesBenchmark,
  paths,
  pathsDescribed,
]

/** Every benchmark by the name that people know it by. */
export const benchmarks: ReadonlyMap<string, BenchmarkSpec> = new Map(specs.map((spec) => [spec.name, spec]))

/** A benchmark by its name. Throws a `GuerdonError` that lists the names. */
export function benchmarkNamed(name: string): BenchmarkSpec {
  const found = benchmarks.get(name)
  if (found) return found
  const names = [...benchmarks.keys()]
  const guess = nearest(name, names)
  throw new GuerdonError('unknown-benchmark', `no benchmark is called "${name}".`, {
    fix: `${guess ? `Did you mean "${guess}"? ` : ''}Benchmarks: ${names.join(', ')}.`,
  })
}

/**
 * Loads what a user writes: a name, or `name=source` with a folder, a file or `hub:owner/name/split`.
 *
 * @example openBenchmark('rewardbench-2=hub')
 */
export function openBenchmark(reference: string, options: LoadBenchmarkOptions = {}): Promise<Benchmark> {
  const at = reference.indexOf('=')
  if (at < 0) return loadBenchmark(benchmarkNamed(reference), options)
  return loadBenchmark(benchmarkNamed(reference.slice(0, at)), {
    ...options,
    source: reference.slice(at + 1),
  })
}
