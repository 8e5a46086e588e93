import type { EndpointOptions } from './endpoint/endpoint.ts'
import type { Model } from './model.ts'

/** A model by name, with how it is to be used. */
export interface ModelSettings extends Omit<EndpointOptions, 'calls' | 'client' | 'baseUrl'> {
  /** As `resolveModel` takes it, such as `openai:gpt-5-mini` or `vllm:Qwen/Qwen3-VL-8B@http://localhost:8000/v1`. */
  readonly model: string
}

/** A model under a name of one's own: settings, or a model that was made in code. */
export type OwnModel = ModelSettings | Model

export function isModelSettings(own: OwnModel): own is ModelSettings {
  return typeof (own as Partial<ModelSettings>).model === 'string'
}
