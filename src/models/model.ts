import { GuerdonError } from '../core/index.ts'
import type { ChatModel } from './chat-model.ts'
import type { Embedder, Raster } from './embedder.ts'
import type { Generator } from './generator.ts'
import type { ChoiceModel, LogProbabilityModel, StepModel } from './token-model.ts'

/** What models can do, by the method that does it. */
export interface Capabilities {
  readonly chat: ChatModel
  readonly choices: ChoiceModel
  readonly logProbabilities: LogProbabilityModel
  readonly open: StepModel
  readonly embedText: Embedder & Required<Pick<Embedder, 'embedText'>>
  readonly embedImage: Embedder & Required<Pick<Embedder, 'embedImage'>>
  readonly generate: Generator<Raster | string>
}

export type Capability = keyof Capabilities

/** A model of which only its name is known: looked up by name, or given by a configuration. */
export interface Model
  extends Partial<ChatModel>,
    Partial<ChoiceModel>,
    Partial<LogProbabilityModel>,
    Partial<StepModel>,
    Partial<Embedder> {
  readonly id: string
  readonly generate?: Generator<Raster | string>['generate']
}

const does: Readonly<Record<Capability, string>> = {
  chat: 'answers in words',
  choices: 'tells how likely an answer begins with a choice',
  logProbabilities: 'tells how likely a given answer is',
  open: 'is decoded token by token',
  embedText: 'embeds texts',
  embedImage: 'embeds images',
  generate: 'draws samples',
}

export const capabilities = Object.keys(does) as readonly Capability[]

/** What a model can do. */
export function capabilitiesOf(model: Model): Capability[] {
  return capabilities.filter((capability) => typeof model[capability] === 'function')
}

/**
 * The model as one that can do something. Where its type is known the compiler says whether it can; for models by name
 * this does.
 *
 * @throws GuerdonError `missing-capability` when it cannot
 */
export function capable<Wanted extends Capability>(model: Model, wanted: Wanted): Capabilities[Wanted] {
  if (typeof model[wanted] === 'function') return model as unknown as Capabilities[Wanted]
  const others = capabilitiesOf(model).map((capability) => `${capability} (${does[capability]})`)
  throw new GuerdonError(
    'missing-capability',
    `the model ${model.id} cannot do what is needed: none that ${does[wanted]} (${wanted}).`,
    { fix: others.length === 0 ? 'It can do nothing.' : `It can: ${others.join(', ')}.` },
  )
}
