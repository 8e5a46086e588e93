import { z } from 'zod'
import { GuerdonError } from '../../core/index.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import type { ChoiceModel } from '../../models/token-model.ts'
import type { ReplyOptions } from './asking.ts'
import type { Fence } from './fence.ts'
import { namedModel } from './named-model.ts'

/** Options that every judge has under a name. */
export const judgeSettings = {
  model: z
    .string()
    .optional()
    .describe('The model that judges, by name; a program may give a model itself instead.'),
  baseDirectory: z.string().optional().describe('Folder that paths of images start from.'),
}

/** Options of judges that write their verdict. */
export const replySettings = {
  ...judgeSettings,
  votes: z.int().min(1).default(1).describe('How often each question is asked.'),
  temperature: z.number().min(0).optional().describe('@default 0 for one vote, 1 for several'),
  maxTokens: z.int().min(1).optional().describe('New tokens of a reply at most.'),
}

/** Options of judges that are asked how likely they are to say yes. */
export const probabilitySettings = {
  ...judgeSettings,
  normalise: z
    .enum(['full', 'two-way'])
    .optional()
    .describe('yes among all that the model might say, or among yes and no only'),
}

type ReplySettings = {
  readonly votes: number
  readonly temperature?: number | undefined
  readonly maxTokens?: number | undefined
}

/** How replies are drawn, from a judge's options. */
export function replyOptions({ votes, temperature, maxTokens }: ReplySettings): ReplyOptions {
  return {
    votes,
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
  }
}

/** How material is shown: what was published has no fences; folders of images. */
export function showing(
  variant: 'released' | 'paper' | 'guarded',
  { baseDirectory }: { readonly baseDirectory?: string | undefined },
): { readonly fence: Fence; readonly images: { readonly baseDirectory?: string } } {
  return {
    fence: variant === 'guarded' ? 'coded' : 'plain',
    images: baseDirectory === undefined ? {} : { baseDirectory },
  }
}

/** The model given by the program, or the one that the options name. Throws a `GuerdonError` (`no-model`) without. */
export function judgeModel<Model extends ChatModel | ChoiceModel>(
  judge: string,
  { model }: { readonly model?: string | undefined },
  given: Model | undefined,
): Model {
  if (given !== undefined) return given
  if (model === undefined)
    throw new GuerdonError('no-model', `"${judge}" has no model to judge with.`, {
      fix: `Name one, such as ${judge}(model="embedded:scenes-vlm"), or give a model to the function.`,
    })
  return namedModel(model) as ChatModel & ChoiceModel as unknown as Model
}
