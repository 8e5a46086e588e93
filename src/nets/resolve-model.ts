import { GuerdonError, messageOf, nearest } from '../core/index.ts'
import { aiSdkModel } from '../models/ai-sdk-model.ts'
import { currentScope } from '../models/calls/call-scope.ts'
import { limitNames } from '../models/calls/limits.ts'
import { completionsModel } from '../models/endpoint/completions-model.ts'
import type { EndpointOptions } from '../models/endpoint/endpoint.ts'
import { openaiEmbedder } from '../models/endpoint/openai-embedder.ts'
import { openaiImageGenerator } from '../models/endpoint/openai-image-generator.ts'
import { openaiModel } from '../models/endpoint/openai-model.ts'
import { vllmModel } from '../models/endpoint/vllm-model.ts'
import type { Model } from '../models/model.ts'
import { isModelSettings, type ModelSettings } from '../models/model-settings.ts'
import { transformersEmbedder } from '../models/transformers/transformers-embedder.ts'
import { transformersModel } from '../models/transformers/transformers-model.ts'
import { modelTypeOf } from '../models/transformers/transformers-package.ts'

/** Where models by name come from. */
export const modelKinds: Readonly<Record<string, string>> = {
  embedded: 'a small model of this package, such as embedded:scenes-vlm, or a file of weights',
  openai:
    'an endpoint that speaks the protocol of OpenAI: openai:MODEL, or openai:MODEL@ADDRESS for another one',
  vllm: 'vLLM, with log-probabilities of given answers: vllm:MODEL@ADDRESS',
  ollama: 'Ollama on this machine: ollama:MODEL',
  completions: 'a model that continues text, with log-probabilities: completions:MODEL@ADDRESS',
  ai: 'a provider of the AI SDK, whose package must be installed: ai:anthropic/MODEL',
  transformers: 'a model that runs here with transformers.js: transformers:MODEL',
}

const loaded = new Map<string, Promise<Model>>()

/**
 * The model of a name: one of the names that the work which is running has given its models (`withCalls`, the
 * configuration), or `KIND:MODEL`, with `@ADDRESS` where it is behind an address. What it can do is asked with
 * `capable(model, ...)`. A model is loaded once for the process.
 *
 * @throws GuerdonError `unknown-model`, `bad-option`, and what loading weights throws
 * @example
 * const judge = capable(await resolveModel('openai:gpt-5-mini'), 'chat')
 */
export async function resolveModel(name: string): Promise<Model> {
  const { models } = currentScope()
  const own = Object.hasOwn(models, name) ? models[name]! : undefined
  if (own !== undefined && !isModelSettings(own)) return own
  const settings = own ?? { model: name }
  const key = JSON.stringify(settings)
  let model = loaded.get(key)
  if (model === undefined) {
    model = made(settings, Object.keys(models))
    loaded.set(key, model)
    model.catch(() => loaded.delete(key)) // weights may be there next time
  }
  return model
}

/** Throws a `GuerdonError` (`unknown-model`) for a name that can stand for no model. Loads nothing. */
export function checkModelName(name: string): void {
  const { models } = currentScope()
  if (!Object.hasOwn(models, name)) partsOf(name, Object.keys(models))
}

async function made(settings: ModelSettings, known: readonly string[]): Promise<Model> {
  const { model: name, ...given } = settings
  const { kind, model, address } = partsOf(name, known)
  const options: EndpointOptions = { ...given, ...(address === undefined ? {} : { baseUrl: address }) }
  switch (kind) {
    case 'embedded': {
      const { loadEmbedded } = await import('./embedded/load-embedded.ts')
      return loadEmbedded<string>(model)
    }
    case 'openai':
      return anyOf(openaiModel(model, options), model, options)
    case 'vllm':
      return anyOf(vllmModel(model, options), model, options)
    case 'ollama': {
      const local = {
        baseUrl: process.env.OLLAMA_HOST
          ? `${hostAddress(process.env.OLLAMA_HOST)}/v1`
          : 'http://localhost:11434/v1',
      }
      return anyOf(openaiModel(model, { ...local, ...options }), model, { ...local, ...options })
    }
    case 'completions':
      return completionsModel(model, options)
    case 'ai':
      return aiModel(model, options)
    default:
      return transformersModelOf(model)
  }
}

/** All that an address may offer: which of it the model there can do, it tells when it is asked. */
function anyOf(model: Model, name: string, options: EndpointOptions): Model {
  const embedder = openaiEmbedder(name, options)
  const generator = openaiImageGenerator(name, options)
  return {
    ...model,
    embedText: embedder.embedText,
    get dimensions() {
      return embedder.dimensions
    },
    generate: generator.generate,
  }
}

function partsOf(
  name: string,
  known: readonly string[],
): { readonly kind: string; readonly model: string; readonly address: string | undefined } {
  const found = /^([a-z]+):(.+?)(?:@(https?:\/\/\S+))?$/s.exec(name)
  const kinds = Object.keys(modelKinds)
  if (found === null || !kinds.includes(found[1]!)) {
    const guess = nearest(found?.[1] ?? name, found === null ? [...known, ...kinds] : kinds)
    throw new GuerdonError('unknown-model', `there is no model "${name}".`, {
      fix: `${guess === undefined ? '' : `Did you mean "${guess}"? `}Name one as KIND:MODEL; kinds: ${kinds.join(', ')}.`,
    })
  }
  const [, kind, model, address] = found
  if (address === undefined && (kind === 'vllm' || kind === 'completions') && !process.env.OPENAI_BASE_URL)
    throw new GuerdonError('unknown-model', `"${name}" does not say where the model is.`, {
      fix: `Such as ${kind}:${model}@http://localhost:8000/v1.`,
    })
  return { kind: kind!, model: model!, address }
}

function hostAddress(host: string): string {
  return /^https?:/.test(host) ? host.replace(/\/+$/, '') : `http://${host}`
}

/** `anthropic/claude-sonnet-4-5`: the export `anthropic` of the package `@ai-sdk/anthropic`. */
async function aiModel(model: string, options: EndpointOptions): Promise<Model> {
  const [, provider, name] = /^([a-z][\w-]*)\/(.+)$/.exec(model) ?? []
  if (provider === undefined)
    throw new GuerdonError('unknown-model', `"ai:${model}" does not name a provider.`, {
      fix: 'Such as ai:anthropic/claude-sonnet-4-5.',
    })
  const packageName = `@ai-sdk/${provider}`
  const exported = provider.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
  let make: unknown
  try {
    make = (await import(packageName))[exported]
  } catch (error) {
    throw new GuerdonError(
      'package-missing',
      `the package ${packageName} cannot be loaded: ${messageOf(error)}`,
      {
        fix: `Install it: npm install ai ${packageName}.`,
        cause: error,
      },
    )
  }
  if (typeof make !== 'function')
    throw new GuerdonError(
      'unknown-model',
      `the package ${packageName} has no export "${exported}" that makes models.`,
    )
  const limits = Object.fromEntries(
    limitNames.flatMap((limit) => (options[limit] === undefined ? [] : [[limit, options[limit]]])),
  )
  return aiSdkModel(make(name), {
    limits,
    ...(options.price === undefined ? {} : { price: options.price }),
    withoutTemperature: options.parameters?.temperature === null,
  })
}

/** An encoder where it is one, else a language model. */
async function transformersModelOf(model: string): Promise<Model> {
  const type = await modelTypeOf(model)
  return /clip|bert|mpnet|t5$|electra|deberta|nomic/.test(type)
    ? transformersEmbedder(model)
    : transformersModel(model)
}
