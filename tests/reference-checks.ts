import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { expect } from 'vitest'
import { buildPairs, orderAgreement, rank } from '../src/apply/index.ts'
import type { ScoredSample } from '../src/core/index.ts'
import {
  bestOfKCurve,
  cohenKappa,
  kendall,
  mean,
  pairAccuracy,
  paired,
  passHatK,
  pearson,
  spearman,
  standardDeviation,
} from '../src/stats/index.ts'
import {
  hhRlhf,
  majority,
  mtbench,
  type PublishedJudge,
  type PublishedRow,
  rowsOf,
  ukp,
} from './preference-sets.ts'

type Numbers = null | number | string | readonly Numbers[] | { readonly [key: string]: Numbers }

/** The published or independently computed numbers of one set, computed again by this library. */
export interface Check {
  readonly set: string
  /** Half a unit of the last digit that is written down. @default 0.5e-4 */
  readonly tolerance?: number
  /** As in `expected.json`, or a part of it. */
  readonly compute: (folder: string) => Promise<Numbers> | Numbers
}

const meanOf = (values: readonly number[]) => mean(values)!
const meansBy = (
  rows: readonly PublishedRow[],
  key: (row: PublishedRow) => string,
  value: (row: PublishedRow) => number,
) => Object.fromEntries([...Map.groupBy(rows, key)].map(([name, group]) => [name, meanOf(group.map(value))]))
export const scored = (id: string, prompt: string, scores: Record<string, number>): ScoredSample => ({
  sample: { id, prompt, output: id, meta: {} },
  scores: Object.fromEntries(Object.entries(scores).map(([name, value]) => [name, { value }])),
})

export const hasNoGap = ({ aFirst, bFirst }: PublishedJudge) =>
  !aFirst.includes(null) && !bFirst!.includes(null)

/** One for each set; `expected.json` beside the sets has the numbers. */
export const checks: readonly Check[] = [
  {
    set: 'mtbench-human',
    compute: (folder) => {
      const { pairs, judges } = mtbench(folder)
      const labels = pairs.map(({ label }) => label)
      return {
        rows: pairs.length,
        accuracies: judges.filter(hasNoGap).map(({ judge, aFirst, bFirst }) => {
          const [evaluator, strategy] = judge.split(' ')
          const result = orderAgreement({ aFirst, bFirst: bFirst! }, { labels, unjudged: 'wrong' })
          return { evaluator: evaluator!, strategy: strategy!, accuracy: result.accuracy!.mean!.estimate }
        }),
      }
    },
  },
  {
    set: 'pandalm-testset',
    tolerance: 0.5e-3,
    compute: (folder) => {
      const summary = (rows: readonly PublishedRow[]) => {
        const votes = [1, 2, 3].map((i) => rows.map((row) => Number(row[`annotator${i}`])))
        const labels = rows.map((_, i) => majority(votes.map((list) => list[i]!)))
        const counts = Map.groupBy(labels, String)
        const kappa = (a: number, b: number) => cohenKappa(votes[a]!, votes[b]!)!.kappa
        // As published: GPT-3.5's "Tie" is not the annotators' 0, so its ties count as wrong (read as ties: .6977).
        const matches = (field: string) =>
          meanOf(rows.map((row, i) => Number(String(row[field]) === String(labels[i]))))
        return {
          majority: Object.fromEntries([...counts].map(([label, list]) => [label, list.length])),
          kappa12: kappa(0, 1),
          kappa13: kappa(0, 2),
          kappa23: kappa(1, 2),
          gpt35_acc: matches('gpt35_verdict'),
          pandalm_acc: matches('pandalm_verdict'),
        }
      }
      return {
        'all 999': summary(rowsOf(folder, 'labels-all.jsonl')),
        'this part': summary(rowsOf(folder, 'pairs.jsonl.gz')),
      }
    },
  },
  {
    set: 'hh-rlhf-harmless-test',
    compute: (folder) => {
      const rows = rowsOf(folder, 'pairs.jsonl.gz')
      expect(hhRlhf(folder).pairs).toHaveLength(rows.length)
      const margins = rows.map(({ chosen, rejected }) => chosen.length - rejected.length)
      return {
        longer_chosen: pairAccuracy(
          margins,
          margins.map(() => 1),
          { predictedTies: 'wrong' },
        ).accuracy,
      }
    },
  },
  {
    set: 'ukp-convarg',
    compute: (folder) => {
      const { pairs } = ukp(folder)
      const margins = pairs.map(({ a, b }) => a.length - b.length)
      const labels = pairs.map(({ label }) => label)
      return { longer_wins: pairAccuracy(margins, labels, { predictedTies: 'drop' }).accuracy }
    },
  },
  {
    set: 'wildbench-scores',
    compute: (folder) => ({
      mean_score: meansBy(
        rowsOf(folder, 'scores.jsonl.gz').filter(({ score }) => score !== null),
        ({ version, judge, model }) => `${version}/${judge}/${model}`,
        ({ score }) => score,
      ),
    }),
  },
  {
    set: 'tifa-human',
    compute: async (folder) => {
      const rows = rowsOf(folder, 'annotations.jsonl.gz')
      const metrics = ['meteor', 'bleu', 'rouge', 'spice', 'clipscore_vitb32', 'tifa_vilt', 'tifa_git-large']
      metrics.push('tifa_ofa-large', 'tifa_blip2-flant5xl', 'tifa_mplug-large')
      const people = rows.map((row) => row.human_avg)
      return {
        rows: rows.length,
        corr_with_human_avg: Object.fromEntries(
          metrics.map((metric) => {
            const values = rows.map((row) => row[metric])
            return [metric, { spearman: spearman(values, people), kendall_b: kendall(values, people).tauB }]
          }),
        ),
      }
    },
  },
  {
    set: 'imagereward-rankings',
    compute: async (folder) => {
      const samples = rowsOf(folder, 'rankings.jsonl').flatMap(({ row, ranking }) =>
        ranking.map((place: number, i: number) => scored(`${row}/${i}`, String(row), { people: -place })),
      )
      const { counts } = await buildPairs(samples, { by: 'people', strategy: 'all' })
      return { images: counts.candidates, pairs_strict: counts.kept }
    },
  },
  {
    set: 'agiqa-3k-mos',
    compute: (folder) => {
      const rows = rowsOf(folder, 'mos.jsonl.gz')
      return {
        spearman_quality_align: spearman(
          rows.map((row) => row.mos_quality),
          rows.map((row) => row.mos_align),
        ),
        mean_quality: meansBy(
          rows,
          ({ generator }) => generator,
          (row) => row.mos_quality,
        ),
      }
    },
  },
  {
    set: 'gsm8k',
    compute: (folder) => {
      const rows = rowsOf(folder, 'is-correct-all.jsonl')
      const systems = Object.keys(rows[0]).filter((name) => name !== 'row')
      const summary = (name: string) => {
        const right = rows.filter((row) => row[name]).length
        return [right, rows.length, right / rows.length]
      }
      return { 'all 1319': Object.fromEntries(systems.map((name) => [name, summary(name)])) }
    },
  },
  {
    set: 'game24',
    compute: async (folder) => {
      const rows = rowsOf(folder, 'gpt4-naive_cot.jsonl.gz')
      const { curve, outcomes } = await rank(
        rows.map(({ puzzle, sample, r }) => scored(`${puzzle}/${sample}`, puzzle, { r })),
        { by: 'r', resamples: 50 },
      )
      expect(curve).toHaveLength(100)
      expect(curve[99]!.expected.estimate).toBeCloseTo(outcomes.chosen!.estimate, 12)
      return {
        naive_cot: {
          rows: rows.length,
          mean_r: curve[0]!.expected.estimate,
          best_of_100: curve[99]!.expected.estimate,
        },
      }
    },
  },
  {
    // pass^k, all of k trials right, is the expected worst of k: minus the best of k of the negated rewards.
    set: 'tau-bench-airline',
    compute: (folder) => {
      const tasks = [...Map.groupBy(rowsOf(folder, 'rewards-all.jsonl'), ({ task_id }) => task_id).values()]
      const curves = tasks.map((trials) => bestOfKCurve(trials.map(({ reward }) => -reward)))
      const allOf = (k: number) => {
        const direct = tasks.map((trials) =>
          passHatK({ n: trials.length, correct: trials.filter(({ reward }) => reward === 1).length, k }),
        )
        const value = -meanOf(curves.map((curve) => curve[k - 1]!))
        expect(value).toBeCloseTo(meanOf(direct), 12)
        return value
      }
      return {
        tasks: tasks.length,
        ...Object.fromEntries([1, 2, 3, 4].map((k) => [`pass^${k}`, allOf(k)])),
      }
    },
  },
  {
    set: 'alfworld-reflexion',
    compute: (folder) => ({
      reflexion_run_logs: {
        successes_by_trial: Object.values(
          Object.groupBy(rowsOf(folder, 'outcomes.jsonl.gz'), ({ trial }) => trial),
        ).map((rows) => rows!.filter(({ success }) => success).length),
      },
    }),
  },
  {
    set: 'dopamine-curves',
    tolerance: 0.5e-2,
    compute: (folder) =>
      Object.fromEntries(
        ['pong', 'breakout', 'seaquest', 'montezumarevenge', 'qbert', 'freeway'].map((game) => {
          const rows = rowsOf(folder, `atari-${game}.jsonl.gz`)
          const last = rows.reduce((most, { iteration }) => Math.max(most, iteration), 0)
          return [
            `atari-${game}`,
            meansBy(
              rows.filter(({ iteration }) => iteration > last - 5),
              ({ agent }) => agent,
              ({ value }) => value,
            ),
          ]
        }),
      ),
  },
  {
    set: 'imitation-rollouts',
    tolerance: 0.5e-3,
    compute: (folder) => {
      const returns = rowsOf(folder, 'cartpole.jsonl.gz').map(({ rews }) =>
        rews.reduce((sum: number, reward: number) => sum + reward, 0),
      )
      return {
        cartpole_0: {
          trajs: returns.length,
          return_mean: mean(returns),
          return_std: standardDeviation(returns, { ddof: 0 }),
        },
      }
    },
  },
  {
    set: 'sugarcrepe',
    compute: (folder) =>
      Object.fromEntries(
        ['add_att', 'replace_att', 'replace_rel', 'swap_obj'].map((kind) => {
          const rows = rowsOf(folder, `${kind}.jsonl`)
          const share = (field: string) => meanOf(rows.map((row) => Number(row[field] === true)))
          return [
            kind,
            {
              n: rows.length,
              gpt4v_pos_first: share('gpt4v_correct_positive_first'),
              gpt4v_neg_first: share('gpt4v_correct_negative_first'),
            },
          ]
        }),
      ),
  },
  {
    set: 'evouna',
    compute: (folder) => {
      const rows = rowsOf(folder, 'NQ.jsonl.gz')
      const proper = rows.filter(({ improper }) => !improper)
      const systems = ['fid', 'gpt35', 'chatgpt', 'gpt4', 'newbing']
      return {
        NQ: {
          rows: rows.length,
          proper: proper.length,
          human_accuracy_proper: Object.fromEntries(
            systems.map((name) => [name, meanOf(proper.map((row) => Number(row[`judge_${name}`])))]),
          ),
        },
      }
    },
  },
  {
    set: 'factscore-human',
    tolerance: 0.5e-2,
    compute: (folder) =>
      Object.fromEntries(
        ['ChatGPT', 'InstructGPT'].map((model) => {
          const rows = rowsOf(folder, `${model}.jsonl.gz`)
          const facts = rows.map(({ annotations }): string[] =>
            (annotations ?? []).flatMap((sentence: PublishedRow) =>
              (sentence['human-atomic-facts'] ?? []).map(({ label }: PublishedRow) => label),
            ),
          )
          const supported = (labels: readonly string[]) =>
            meanOf(labels.map((label) => Number(label === 'S')))
          const relevant = facts.map((labels) => labels.filter((label) => label !== 'IR'))
          const percent = (lists: readonly (readonly string[])[]) =>
            100 * meanOf(lists.filter(({ length }) => length > 0).map(supported))
          return [
            model,
            {
              n: rows.length,
              factscore_ir_dropped: percent(relevant),
              factscore_ir_counts_as_unsupported: percent(facts),
            },
          ]
        }),
      ),
  },
  {
    set: 'frank',
    compute: (folder) => {
      const rows = rowsOf(folder, 'judgements.jsonl.gz')
      const people = rows.map((row) => row.Factuality)
      return {
        n: rows.length,
        plain_pearson_spearman: Object.fromEntries(
          [
            'Rouge 1',
            'Rouge L',
            'Meteor',
            'BertScore P',
            'BertScore P Art',
            'FactCC',
            'FEQA',
            'Dep Entail',
            'QAGS',
          ].map((metric) => {
            const { a, b, n } = paired(
              rows.map((row) => row.metrics[metric] ?? null),
              people,
            )
            return [metric, [n, pearson(a, b), spearman(a, b)]]
          }),
        ),
      }
    },
  },
  {
    set: 'wmt-mqm',
    compute: (folder) => {
      const means = (file: string) => {
        const rows = rowsOf(folder, `${file}-segments.jsonl.gz`)
        return {
          rows: rows.length,
          system_mean: meansBy(
            rows,
            ({ system }) => system,
            ({ score }) => score,
          ),
        }
      }
      return {
        'newstest2020-ende': means('newstest2020-ende'),
        'newstest2021-zhen': means('newstest2021-zhen'),
      }
    },
  },
  {
    set: 'leaderboards',
    compute: (folder) => {
      const table = (file: string): Record<string, string>[] =>
        parse(readFileSync(join(folder, file)), { columns: true })
      const top1 = (file: string) => new Map(table(file).map(({ model, top1 }) => [model!, Number(top1)]))
      const imagenet = top1('timm-imagenet.csv')
      const against = (file: string) => {
        const other = top1(file)
        const names = [...imagenet.keys()].filter((name) => other.has(name))
        const [a, b] = [names.map((name) => imagenet.get(name)!), names.map((name) => other.get(name)!)]
        return {
          models: names.length,
          pearson: pearson(a, b),
          spearman: spearman(a, b),
          kendall_b: kendall(a, b).tauB,
        }
      }
      const clip = table('openclip-38.csv')
      const alpaca = table('alpacaeval2.csv')
      const column = (rows: readonly Record<string, string>[], name: string) =>
        rows.map((row) => Number(row[name]))
      const [wins, controlled, length] = ['win_rate', 'length_controlled_winrate', 'avg_length'].map((name) =>
        column(alpaca, name),
      )
      return {
        'timm imagenet vs imagenet-real': against('timm-imagenet-real.csv'),
        'timm imagenet vs imagenet-a': against('timm-imagenet-a.csv'),
        'openclip ImageNet 1k vs v2': {
          models: clip.length,
          spearman: spearman(column(clip, 'ImageNet 1k'), column(clip, 'ImageNet v2')),
        },
        alpacaeval2: {
          models: alpaca.length,
          spearman_winrate_vs_length_controlled: spearman(wins!, controlled!),
          spearman_winrate_vs_length: spearman(wins!, length!),
          spearman_lc_vs_length: spearman(controlled!, length!),
        },
      }
    },
  },
  {
    set: 'oasst-samples',
    compute: (folder) =>
      Object.fromEntries(
        ['pythia-12b-sft-v8-rlhf-2k-steps', 'pythia-12b-sft-v8-2.5k-steps'].map((model) => {
          const rows = rowsOf(folder, `${model}.jsonl.gz`)
          const outputs = rows.flatMap(({ results }) =>
            results.flatMap((result: PublishedRow) => result.outputs),
          )
          return [model, { prompts: rows.length, outputs: outputs.length }]
        }),
      ),
  },
]
