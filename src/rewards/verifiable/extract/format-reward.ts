import { z } from 'zod'
import { defineReward, type Reward, textOf } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { checkFormat, type FormatBlock, type FormatSpec, type Gap, strictFormat } from './format.ts'

const gap = z.union([
  z.enum(['', 'white-space', 'anything', 'newline-or-nothing']),
  z.strictObject({ text: z.string().min(1) }),
]) satisfies z.ZodType<Gap>

const block = z
  .strictObject({
    tag: z.string().min(1).optional(),
    open: z.string().min(1).optional(),
    close: z.string().min(1).optional(),
    before: gap.optional(),
    padding: gap.optional(),
    contains: z.array(z.union([z.string().min(1), z.int().min(0)])).optional(),
  })
  .refine(({ tag, open, close }) => tag !== undefined || (open !== undefined && close !== undefined), {
    error: 'a block needs a tag, or open and close',
  })

const options = z.strictObject({
  blocks: z
    .array(z.union([z.string().min(1), block]))
    .min(1)
    .default(['think', 'answer'])
    .describe('tag names, or blocks with open, close, before, padding and contains'),
  match: z
    .enum(['full', 'prefix', 'search'])
    .default('full')
    .describe('the whole output, from its start, or anywhere'),
  around: z
    .enum(['', 'white-space'])
    .default('white-space')
    .describe('allowed before the first and after the last block'),
  strict: z.boolean().default(true).describe('every block stands exactly once and is not empty'),
})

/** The output is made of the given blocks: see `FormatSpec`. Needs no reference. */
function formatReward(settings: z.input<typeof options> = {}): Reward {
  const chosen = options.parse(settings)
  const { match, around, strict } = chosen
  const blocks = chosen.blocks.map((one, index): FormatBlock => {
    const given = typeof one === 'string' ? { tag: one } : (one as FormatBlock)
    return index === 0 && given.before === undefined ? { ...given, before: around } : given
  })
  const plain: FormatSpec = { blocks, match, after: around }
  const spec = strict ? strictFormat(plain) : plain
  return defineReward({
    name: 'format',
    params: chosen,
    judge: ({ output }) => {
      const check = checkFormat(textOf(output), spec)
      return check.matches ? 1 : { value: 0, rationale: check.reason }
    },
  })
}

const sample = (output: string) => ({ id: 'format', prompt: 'Think, then answer.', output, meta: {} })

export const format = defineRewardType({
  name: 'format',
  summary: 'The output is made of given blocks in order, such as <think>...</think><answer>...</answer>.',
  options,
  create: formatReward,
  examples: [
    { sample: sample('<think>two and two</think>\n<answer>4</answer>'), value: 1 },
    { sample: sample('<think></think><answer>4</answer>'), value: 0 },
    { sample: sample('<think></think><answer>4</answer>'), options: { strict: false }, value: 1 },
    { sample: sample('<think>a</think><answer>4</answer> and more'), value: 0 },
    {
      sample: sample('so \\boxed{4}'),
      options: { match: 'search', blocks: [{ open: '\\boxed{', close: '}' }] },
      value: 1,
    },
  ],
})
