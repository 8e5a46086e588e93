import { z } from 'zod'

const reward = z.string().nullish().describe('Name of a served reward; the first one when it is left out')
const turns = z
  .union([z.string(), z.array(z.unknown())])
  .describe('Text, content parts (text, image_url with a data URL, json), or messages with role and content')

export const sample = z.object({
  id: z.string().nullish().describe('What its random numbers come from; by default what it holds'),
  prompt: turns,
  output: turns,
  reference: z.unknown().optional().describe('The gold answer, in the shape that the reward asks for'),
  group: z.string().nullish().describe('Samples of one group answer the same prompt'),
  meta: z.record(z.string(), z.unknown()).nullish(),
})

const scoring = {
  reward,
  groupSize: z
    .int()
    .min(2)
    .max(4096)
    .optional()
    .describe(
      'For a reward of groups: wait until so many samples of each group have come, over several requests',
    ),
  details: z.boolean().optional().describe('Also rationale, evidence, usage and meta'),
}

export const columns = z.object({
  ...scoring,
  prompts: z.array(turns).optional(),
  completions: z.array(turns),
  columns: z
    .record(z.string(), z.array(z.unknown()))
    .optional()
    .describe('Columns of the data set, one item for each'),
  referenceColumn: z
    .string()
    .optional()
    .describe('Default: the first of reference, solution, ground_truth, answer, label, target that is there'),
})

export const scoreRequest = z.union([z.object({ ...scoring, samples: z.array(sample) }), columns])

const score = {
  value: z.number().nullable().describe('null = could not be judged'),
  code: z.string().optional().describe('Why there is no value'),
  reason: z.string().optional(),
  abstained: z.boolean().optional(),
  parts: z.record(z.string(), z.number().nullable()).optional(),
  uncertainty: z.number().optional().describe('Standard deviation of the value'),
}

const head = { reward: z.string(), identity: z.string().describe('Changes whenever a score may change') }

export const scoreResponse = z.object({
  ...head,
  scores: z.array(z.looseObject({ id: z.string(), ...score })),
})

const { output: _, ...question } = sample.shape

export const compareRequest = z.object({
  reward,
  pairs: z.array(z.object({ ...question, a: turns, b: turns })),
  scale: z
    .number()
    .positive()
    .optional()
    .describe('Units of the reward that are one unit of log-odds; else the higher wins'),
  tie: z.number().min(0).optional().describe('Differences up to this are a tie'),
})

export const compareResponse = z.object({
  ...head,
  comparisons: z.array(
    z.object({
      ...score,
      id: z.string(),
      value: z
        .number()
        .nullable()
        .describe('Probability that a is better; 0.5 = a tie, null = could not be judged'),
      a: z.object(score),
      b: z.object(score),
    }),
  ),
})

const { id: __, ...rankQuestion } = question

export const rankRequest = z.object({
  ...rankQuestion,
  reward,
  outputs: z.array(turns),
  top: z.int().min(1).optional(),
})

export const rankResponse = z.object({
  ...head,
  ranking: z
    .array(z.object({ index: z.int(), rank: z.int().describe('From 1; equal values share one'), ...score }))
    .describe('Best first'),
  unscored: z.array(z.object({ index: z.int(), ...score })),
})

export const rewardsResponse = z.object({
  rewards: z.array(
    z.object({
      name: z.string(),
      reward: z.string(),
      version: z.string(),
      identity: z.string(),
      range: z.tuple([z.number().nullable(), z.number().nullable()]).describe('null = without a bound'),
      needs: z.array(z.string()),
      params: z.unknown(),
      description: z.string().optional(),
      parts: z.array(z.string()).describe('Parts that its scores have had'),
    }),
  ),
})

export const driftResponse = z.object({
  components: z.array(z.looseObject({ reward: z.string(), component: z.string() })),
})

export const shadowsResponse = z.object({
  shadows: z.array(z.looseObject({ name: z.string(), beside: z.string() })),
})
