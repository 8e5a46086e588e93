import { GuerdonError, identityOf, isObject, type Json, type JsonObject } from '../../core/index.ts'
import { CallError } from '../calls/call.ts'
import type { CallLayer } from '../calls/call-layer.ts'
import { currentScope } from '../calls/call-scope.ts'
import { type CallLimits, checkLimits, limitNames } from '../calls/limits.ts'
import { type AskModel, modelCalls } from '../calls/model-calls.ts'
import type { Price } from '../calls/price.ts'
import { statusError } from '../calls/status-error.ts'
import { abortSignalOf, type StopSignal } from '../calls/stop-signal.ts'
import { plainAddress, withoutKeys } from '../secrets.ts'
import { type HttpAddress, type HttpAnswer, httpAddress, postJson } from './http-request.ts'

export interface EndpointOptions extends CallLimits {
  /** Where the API begins, such as `http://localhost:8000/v1`. @default OPENAI_BASE_URL, else OpenAI's own */
  readonly baseUrl?: string
  /**
   * Environment variable that holds the key. @default OPENAI_API_KEY for OpenAI and for OPENAI_BASE_URL, else
   * GUERDON_API_KEY; no key where it is not set
   */
  readonly keyVariable?: string
  /** A client of the package `openai` (Azure's and other kinds included) that sends the requests; it has key and address. */
  readonly client?: OpenAIClient
  /** [US dollars per million tokens] @default not known */
  readonly price?: Price
  /** Ask for answers in pieces, where a proxy or an endpoint breaks off connections that are silent for long. @default false */
  readonly stream?: boolean
  /** Further fields of every request, such as `{"reasoning_effort": "low"}`; null leaves out a field that is sent otherwise. */
  readonly parameters?: JsonObject
  /** @default those of the work that is running (`withCalls`) */
  readonly calls?: CallLayer
}

/** What is used of a client of the package `openai`. */
export interface OpenAIClient {
  readonly baseURL: string
  post(
    path: string,
    options: {
      body: unknown
      signal: AbortSignal
      maxRetries: number
      timeout: number
      __binaryResponse: boolean
    },
  ): { asResponse(): Promise<Response> }
}

const openAI = 'https://api.openai.com/v1'

/** Longest answer that is not said to be longer [bytes]. */
const usualBytes = 8 * 2 ** 20

/** An address that speaks the protocol of OpenAI, and how to ask there. */
export class Endpoint {
  /** Without credentials. */
  readonly address: string
  readonly options: EndpointOptions
  readonly limits: CallLimits
  /** OpenAI's own, which names some fields in its own way. */
  readonly isOpenAIs: boolean
  readonly #base: URL | undefined
  readonly #keyVariable: string
  readonly #addresses = new Map<string, HttpAddress>()

  /** Throws a `GuerdonError` (`bad-option`) for an address that is none, or a limit that is none. */
  constructor(options: EndpointOptions) {
    const base =
      options.client?.baseURL ?? options.baseUrl ?? (process.env.OPENAI_BASE_URL || undefined) ?? openAI
    if (!URL.canParse(base) || !/^https?:/i.test(base))
      throw new GuerdonError('bad-option', `${JSON.stringify(withoutKeys(base))} is no address.`, {
        fix: 'Such as http://localhost:8000/v1.',
      })
    this.options = options
    this.limits = Object.fromEntries(
      limitNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
    )
    checkLimits(this.limits)
    this.address = plainAddress(base)
    this.#base = options.client ? undefined : new URL(base)
    this.isOpenAIs = this.address === openAI
    const isUsual = this.isOpenAIs || base === process.env.OPENAI_BASE_URL
    this.#keyVariable = options.keyVariable ?? (isUsual ? 'OPENAI_API_KEY' : 'GUERDON_API_KEY')
  }

  /** Names a model of this endpoint, with the parameters of every request. */
  idOf(model: string): string {
    const { parameters = {} } = this.options
    const plain = Object.keys(parameters).length === 0
    return `${model}@${this.address}${plain ? '' : `#${identityOf(parameters).slice(0, 8)}`}`
  }

  /** Asks a model of this endpoint. @param kind what is asked, such as `chat` */
  asking(model: string, kind: string): AskModel {
    const { price, calls } = this.options
    const called = {
      id: this.idOf(model),
      endpoint: this.address,
      limits: this.limits,
      ...(price === undefined ? {} : { price }),
    }
    return modelCalls(called, kind, () => calls ?? currentScope().calls)
  }

  /**
   * Posts to a path below the address (`/chat/completions`), or to the root of the server (`//tokenize`). Throws a
   * `CallError` unless the answer is a JSON object of status 2xx.
   */
  async post(
    path: string,
    fields: JsonObject,
    signal: StopSignal,
    maxBytes?: number,
  ): Promise<Record<string, unknown>> {
    const { text } = await this.send(path, fields, signal, maxBytes)
    return objectOf(text)
  }

  /** Like `post`, for an answer that is not one JSON object. */
  async send(
    path: string,
    fields: JsonObject,
    signal: StopSignal,
    maxBytes: number = usualBytes,
  ): Promise<HttpAnswer> {
    const body = withParameters(fields, this.options.parameters)
    const answer = await (this.#base === undefined
      ? this.#viaClient(path, body, signal, maxBytes)
      : postJson({
          address: this.#addressOf(path),
          authorization: this.#authorization(),
          body: JSON.stringify(body),
          maxBytes,
          signal,
        }))
    if (answer.status >= 200 && answer.status < 300) return answer
    throw this.#errorOf(answer)
  }

  #addressOf(path: string): HttpAddress {
    let address = this.#addresses.get(path)
    if (address === undefined) {
      const url = new URL(this.#base!)
      url.pathname = path.startsWith('//')
        ? `${url.pathname.replace(/\/v\d+\/*$/, '')}/${path.slice(2)}`.replaceAll('//', '/')
        : `${url.pathname.replace(/\/+$/, '')}${path}`
      address = httpAddress(url)
      this.#addresses.set(path, address)
    }
    return address
  }

  #authorization(): string | undefined {
    const key = process.env[this.#keyVariable]
    const { username, password } = this.#base!
    if (key) return `Bearer ${key}`
    if (username === '') return undefined
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return `Basic ${Buffer.from(credentials).toString('base64')}`
  }

  async #viaClient(
    path: string,
    body: JsonObject,
    signal: StopSignal,
    maxBytes: number,
  ): Promise<HttpAnswer> {
    const { client } = this.options
    try {
      const response = await client!
        .post(path, {
          body,
          signal: abortSignalOf(signal),
          maxRetries: 0,
          timeout: 2 ** 31 - 1,
          __binaryResponse: true,
        })
        .asResponse()
      const text = await limitedText(response, maxBytes)
      return { status: response.status, headers: Object.fromEntries(response.headers), text }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (error instanceof CallError) throw error
      const { status, headers, message } = error as { status?: number; headers?: Headers; message: string }
      if (status === undefined)
        throw new CallError('outage', `the connection failed: ${withoutKeys(message)}`, {
          retryable: true,
        })
      return { status, headers: Object.fromEntries(headers ?? []), text: message }
    }
  }

  #errorOf({ status, headers, text }: HttpAnswer): CallError {
    const { message, type } = errorIn(text)
    const said = withoutKeys(message)
    const isSet = Boolean(process.env[this.#keyVariable])
    return statusError(
      {
        status,
        headers,
        message: `${this.address} answered ${status}${said === '' ? '' : `: ${said}`}`,
        type,
      },
      `. The key is read from ${this.#keyVariable}, which is ${isSet ? 'set' : 'not set'}`,
    )
  }
}

/** Undefined fields and those whose parameter is null are left out. */
function withParameters(fields: JsonObject, parameters: JsonObject | undefined): JsonObject {
  if (parameters === undefined) return fields
  return Object.fromEntries(
    Object.entries({ ...fields, ...parameters }).filter(
      ([name, value]) => value !== undefined && parameters[name] !== null,
    ),
  )
}

/** Throws a `CallError` (to be tried again) unless the text is a JSON object. */
export function objectOf(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text) as Json
  } catch {
    throw malformed(`the answer is not JSON: ${JSON.stringify(text.slice(0, 80))}`)
  }
  if (!isObject(value)) throw malformed('the answer is no JSON object')
  if (isObject(value.error) && value.choices === undefined)
    throw malformed(`the answer is an error: ${String(value.error.message)}`)
  return value
}

/** An answer that breaks the protocol: the endpoint may do better next time. */
export function malformed(what: string): CallError {
  return new CallError('outage', what, { retryable: true })
}

/** Message and type (with code) of an error as OpenAI, older vLLM, Ollama and others write it. */
function errorIn(text: string): { message: string; type: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return {
      message: text
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim()
        .slice(0, 300),
      type: text.slice(0, 300),
    }
  }
  const error = isObject(value) ? (value.error ?? value) : value
  if (!isObject(error)) return { message: String(error ?? '').slice(0, 300), type: '' }
  const message = error.message ?? error.detail ?? JSON.stringify(error)
  return {
    message: (typeof message === 'string' ? message : JSON.stringify(message)).slice(0, 300),
    type: `${String(error.type ?? '')} ${String(error.code ?? '')}`,
  }
}

async function limitedText(response: Response, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > maxBytes)
      throw new CallError('outage', `the answer is longer than ${maxBytes} bytes`, { retryable: true })
    parts.push(part)
  }
  return Buffer.concat(parts, length).toString('utf8')
}
