import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Rng } from '../src/core/index.ts'

/**
 * A real HTTP server that speaks the protocol of OpenAI (chat, completions, embeddings, images, log-probabilities,
 * streams) and vLLM's additions (`prompt_logprobs`, `/tokenize`), answers as a script says, and injects faults.
 *
 * @example
 * const server = await openaiServer({
 *   // what the model says: text, or a whole answer ({ text, finish, reasoning, refusal }); may look at images
 *   reply: ({ text, images }) => (text.includes('better') ? 'A' : `I see ${images.length} images`),
 *   // how likely its first token is each of these (for `choices`)
 *   firstTokens: ({ text }) => ({ Yes: 0.7, ' no': 0.2, Well: 0.05 }),
 *   faults: { rate: 0.2, seed: 1 },             // a fifth of the requests goes wrong, in all ways by turns
 * })
 * const judge = openaiModel('scripted', { baseUrl: server.baseUrl, retries: 8 })
 * ...
 * server.requests                                // what was asked, in order
 * await server.close()
 */
export interface OpenAIServerOptions {
  /** @default the last message, reversed by words */
  readonly reply?: (request: ScriptedRequest) => string | ScriptedAnswer
  /** Probabilities of first tokens; those that are asked for are told. @default none are told */
  readonly firstTokens?: (request: ScriptedRequest) => Readonly<Record<string, number>>
  /** Log-probability of a token of a given text, for `echo` and `prompt_logprobs` [nats]. @default -length / 10 */
  readonly logProbability?: (token: string, before: readonly string[]) => number
  /** @default 8 numbers that depend on the text */
  readonly embed?: (input: string) => readonly number[]
  /** The file of an image. @default a transparent pixel */
  readonly image?: (prompt: string) => Uint8Array
  readonly faults?: FaultPlan
  /** [ms] @default 0 */
  readonly latencyMs?: number | ((request: ScriptedRequest) => number)
  /** Answers 401 unless this key is given. */
  readonly key?: string
  /** Requests at a time; more are answered 429. @default no limit */
  readonly capacity?: number
  /** Keep what was asked in `requests`. @default true */
  readonly keepsRequests?: boolean
}

export interface ScriptedRequest {
  /** Such as `/chat/completions`. */
  readonly path: string
  /** All text of the last message (or the prompt), parts joined by line breaks. */
  readonly text: string
  /** Data URLs of all images. */
  readonly images: readonly string[]
  readonly body: Record<string, any>
  readonly headers: IncomingMessage['headers']
}

export interface ScriptedAnswer {
  readonly text: string | null
  readonly finish?: string
  readonly reasoning?: string
  readonly refusal?: string
  readonly inputTokens?: number
  readonly outputTokens?: number
}

export const faults = [
  '429', // without Retry-After
  '429-seconds', // Retry-After: 0.02
  '429-date', // Retry-After: an HTTP date (of now)
  '500',
  '503-html', // an error page
  'reset', // the connection breaks before an answer
  'cut-off', // half of the body
  'slow', // a body that takes ten seconds
  'endless', // a body without end
  'malformed', // half of the JSON, as if it were whole
  'empty-choices',
  'missing-field', // a choice without a message, data without embeddings
  'nan', // NaN in the place of a number that JSON does not know
  'refusal', // the model declines: an answer, not to be asked again
] as const
export type Fault = (typeof faults)[number]

/** Which requests go wrong. The n-th request of a server meets the same fault in every run. */
export type FaultPlan =
  | { readonly rate: number; readonly seed?: string | number; readonly kinds?: readonly Fault[] }
  | ((request: ScriptedRequest, index: number) => Fault | undefined)

/** All that a client may try again: everything but a refusal. */
export const passingFaults: readonly Fault[] = faults.filter((fault) => fault !== 'refusal')

export interface OpenAIServer {
  /** Such as `http://127.0.0.1:40123/v1`. */
  readonly baseUrl: string
  readonly requests: readonly ScriptedRequest[]
  /** Requests that came. */
  readonly count: number
  /** Requests that met a fault. */
  readonly faulty: number
  /** Most requests that were open at a time. */
  readonly mostAtOnce: number
  setFaults(plan: FaultPlan | undefined): void
  close(): Promise<void>
}

export async function openaiServer(options: OpenAIServerOptions = {}): Promise<OpenAIServer> {
  const requests: ScriptedRequest[] = []
  const sockets = new Set<Socket>()
  let plan = options.faults
  let [count, faulty, open, mostAtOnce] = [0, 0, 0, 0]
  const rngs = new Map<string, Rng>()

  const faultOf = (request: ScriptedRequest, index: number): Fault | undefined => {
    if (plan === undefined) return undefined
    if (typeof plan === 'function') return plan(request, index)
    const seed = String(plan.seed ?? 0)
    if (!rngs.has(seed)) rngs.set(seed, new Rng(seed))
    const rng = rngs.get(seed)!
    return rng.chance(plan.rate) ? rng.pick(plan.kinds ?? passingFaults) : undefined
  }

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    open++
    mostAtOnce = Math.max(mostAtOnce, open)
    response.on('close', () => open--)
    const request = await readRequest(incoming)
    const index = count++
    if (options.keepsRequests ?? true) requests.push(request)
    if (options.key !== undefined && request.headers.authorization !== `Bearer ${options.key}`)
      return sendError(response, 401, `Incorrect API key provided: ${request.headers.authorization}`)
    if (options.capacity !== undefined && open > options.capacity)
      return sendError(response, 429, 'Too many requests at a time')
    const { latencyMs = 0 } = options
    const wait = typeof latencyMs === 'number' ? latencyMs : latencyMs(request)
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const fault = faultOf(request, index)
    if (fault !== undefined) faulty++
    answer(request, response, fault, options)
  }

  const server: Server = createServer((incoming, response) => {
    handle(incoming, response).catch((error) => {
      if (!response.headersSent) sendError(response, 500, `the script failed: ${error.message}`)
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    get count() {
      return count
    },
    get faulty() {
      return faulty
    },
    get mostAtOnce() {
      return mostAtOnce
    },
    setFaults: (next) => {
      plan = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<ScriptedRequest> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer)
  const body = JSON.parse(Buffer.concat(parts).toString('utf8') || '{}') as Record<string, any>
  const messages = (body.messages ?? []) as { content: unknown }[]
  const partsOf = (content: unknown): Record<string, any>[] =>
    Array.isArray(content) ? content : [{ type: 'text', text: String(content ?? '') }]
  return {
    path: (incoming.url ?? '').replace(/^\/v1/, ''),
    text:
      messages.length > 0
        ? partsOf(messages.at(-1)!.content)
            .flatMap((part) => (part.type === 'text' ? [part.text] : []))
            .join('\n')
        : String(body.prompt ?? body.input ?? ''),
    images: messages
      .flatMap(({ content }) => partsOf(content))
      .flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : [])),
    body,
    headers: incoming.headers,
  }
}

function answer(
  request: ScriptedRequest,
  response: ServerResponse,
  fault: Fault | undefined,
  options: OpenAIServerOptions,
): void {
  switch (fault) {
    case '429':
      sendError(response, 429, 'Rate limit reached')
      return
    case '429-seconds':
      sendError(response, 429, 'Rate limit reached', { 'retry-after': '0.02' })
      return
    case '429-date':
      sendError(response, 429, 'Rate limit reached', { 'retry-after': new Date().toUTCString() })
      return
    case '500':
      sendError(response, 500, 'The server had an error')
      return
    case '503-html':
      response.writeHead(503, { 'content-type': 'text/html' })
      response.end('<html><h1>Service unavailable</h1><script>alert(1)</script></html>')
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'endless': {
      response.writeHead(200, { 'content-type': 'application/json' })
      const filler = Buffer.alloc(2 ** 16, '{"a":')
      const more = () => {
        while (!response.destroyed && response.write(filler));
      }
      response.on('drain', more)
      more()
      return
    }
    default:
  }
  const { text, type } = bodyOf(request, fault, options)
  switch (fault) {
    case 'cut-off':
      response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
      response.write(text.slice(0, text.length / 2), () => response.destroy())
      return
    case 'slow': {
      response.writeHead(200, { 'content-type': type })
      response.write(text.slice(0, text.length / 2))
      const timer = setTimeout(() => response.end(text.slice(text.length / 2)), 10_000)
      response.on('close', () => clearTimeout(timer))
      return
    }
    case 'malformed':
      response.writeHead(200, { 'content-type': type })
      response.end(text.slice(0, text.length / 2))
      return
    default:
      response.writeHead(200, { 'content-type': type })
      response.end(text)
  }
}

function bodyOf(
  request: ScriptedRequest,
  fault: Fault | undefined,
  options: OpenAIServerOptions,
): { text: string; type: string } {
  const { path, body } = request
  const json = (value: unknown) => {
    const text = JSON.stringify(value)
    // the first number of the answer that counts
    const spoilt = text.replace(
      /("logprob":|"embedding":\[|"token_logprobs":\[|"completion_tokens":)-?[\d.e-]+/,
      '$1NaN',
    )
    return { text: fault === 'nan' ? spoilt : text, type: 'application/json' }
  }
  switch (path) {
    case '/chat/completions':
      return chatBody(request, fault, options, json)
    case '/completions':
      return json(completionBody(request, fault, options))
    case '/embeddings': {
      const inputs = [body.input].flat() as string[]
      const embed = options.embed ?? usualEmbedding
      return json({
        object: 'list',
        data: inputs.map((input, index) => ({
          object: 'embedding',
          index,
          ...(fault === 'missing-field' ? {} : { embedding: embed(input) }),
        })),
        model: body.model,
        usage: { prompt_tokens: inputs.join(' ').split(' ').length, total_tokens: 0 },
      })
    }
    case '/images/generations': {
      const image = Buffer.from(options.image?.(request.text) ?? transparentPixel).toString('base64')
      return json({ created: 1, data: fault === 'empty-choices' ? [] : [{ b64_json: image }] })
    }
    case '/tokenize': {
      const tokens = tokensOf(promptOf(body))
      return json({ count: tokens.length, max_model_len: 4096, tokens: tokens.map(tokenId) })
    }
    default:
      return json({ error: { message: `there is no ${path}`, type: 'not_found' } })
  }
}

function chatBody(
  request: ScriptedRequest,
  fault: Fault | undefined,
  options: OpenAIServerOptions,
  json: (value: unknown) => { text: string; type: string },
): { text: string; type: string } {
  const { body, text } = request
  const scripted = options.reply?.(request) ?? text.split(' ').reverse().join(' ')
  const said: ScriptedAnswer = typeof scripted === 'string' ? { text: scripted } : scripted
  const refusal = fault === 'refusal' ? 'I cannot help with that' : said.refusal
  const message = {
    role: 'assistant',
    content: refusal === undefined ? said.text : null,
    ...(said.reasoning === undefined ? {} : { reasoning_content: said.reasoning }),
    ...(refusal === undefined ? {} : { refusal }),
  }
  const finish = said.finish ?? 'stop'
  const usage = {
    prompt_tokens: said.inputTokens ?? text.split(' ').length,
    completion_tokens: said.outputTokens ?? (said.text ?? '').split(' ').length,
    total_tokens: 0,
  }
  if (body.stream === true)
    return { text: streamOf(message, finish, usage, fault), type: 'text/event-stream' }
  const top = body.logprobs ? options.firstTokens?.(request) : undefined
  const prompt = body.prompt_logprobs === undefined ? undefined : promptLogprobs(body, options)
  return json({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: body.model,
    choices:
      fault === 'empty-choices'
        ? []
        : [
            {
              index: 0,
              ...(fault === 'missing-field' ? {} : { message }),
              logprobs: top === undefined ? null : { content: [firstToken(top, body.top_logprobs ?? 0)] },
              finish_reason: finish,
            },
          ],
    usage,
    ...(prompt === undefined ? {} : { prompt_logprobs: fault === 'missing-field' ? undefined : prompt }),
  })
}

function streamOf(
  message: Record<string, unknown>,
  finish: string,
  usage: unknown,
  fault: Fault | undefined,
): string {
  const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
  const piece = (delta: unknown, reason: string | null = null) =>
    event({ choices: fault === 'empty-choices' ? [] : [{ index: 0, delta, finish_reason: reason }] })
  const pieces = Object.entries(message).flatMap(([name, value]) =>
    name === 'role' || typeof value !== 'string'
      ? []
      : (value.match(/.{1,3}/gs) ?? ['']).map((part) => piece({ [name]: part })),
  )
  return `${piece({ role: 'assistant' })}${pieces.join('')}${piece({}, finish)}${event({ choices: [], usage })}data: [DONE]\n\n`
}

function firstToken(probabilities: Readonly<Record<string, number>>, most: number) {
  const entries = Object.entries(probabilities)
    .sort(([, a], [, b]) => b - a)
    .map(([token, probability]) => ({
      token,
      logprob: probability > 0 ? Math.log(probability) : -9999,
      bytes: [...Buffer.from(token)],
    }))
  return { ...entries[0], top_logprobs: entries.slice(0, most) }
}

function completionBody(request: ScriptedRequest, fault: Fault | undefined, options: OpenAIServerOptions) {
  const { body } = request
  const prompt = tokensOf(String(body.prompt))
  const scores = logProbabilitiesOf(prompt, options)
  const scripted = options.firstTokens?.(request) ?? { ' end': 1 }
  const [drawn, probability] = Object.entries(scripted).sort(([, a], [, b]) => b - a)[0]!
  const listed = Object.fromEntries(
    Object.entries(scripted)
      .sort(([, a], [, b]) => b - a)
      .slice(0, body.logprobs ?? 0)
      .map(([token, p]) => [token, Math.log(p)]),
  )
  const added = body.max_tokens === 0 ? [] : [drawn]
  const shown = body.echo ? prompt : []
  const tokens = [...shown, ...added]
  const logprobs = [
    ...(body.echo ? scores.map((score, index) => (index === 0 ? null : score)) : []),
    ...added.map(() => Math.log(probability)),
  ]
  let offset = 0
  return {
    id: 'cmpl-1',
    object: 'text_completion',
    model: body.model,
    choices:
      fault === 'empty-choices'
        ? []
        : [
            {
              index: 0,
              text: tokens.join(''),
              finish_reason: 'length',
              ...(fault === 'missing-field' || body.logprobs === undefined
                ? {}
                : {
                    logprobs: {
                      tokens,
                      token_logprobs: logprobs,
                      top_logprobs: tokens.map((_, index) => (index < shown.length ? null : listed)),
                      text_offset: tokens.map((token) => {
                        offset += token.length
                        return offset - token.length
                      }),
                    },
                  }),
            },
          ],
    usage: { prompt_tokens: prompt.length, completion_tokens: added.length, total_tokens: 0 },
  }
}

/** As vLLM tells them: null for the first token, then a map from the token's id. */
function promptLogprobs(body: Record<string, any>, options: OpenAIServerOptions) {
  const tokens = tokensOf(promptOf(body))
  return logProbabilitiesOf(tokens, options).map((logprob, index) =>
    index === 0 ? null : { [tokenId(tokens[index]!)]: { logprob, rank: 1, decoded_token: tokens[index] } },
  )
}

/** The server's chat template: `[role] text [end] `, and `[assistant] ` where an answer is to come. */
function promptOf(body: Record<string, any>): string {
  const messages = body.messages as { role: string; content: unknown }[]
  const turns = messages.map(({ role, content }, index) => {
    const text =
      typeof content === 'string'
        ? content
        : (content as Record<string, any>[]).map((part) => part.text ?? '[image]').join(' ')
    const isOpen = index === messages.length - 1 && body.continue_final_message === true
    return `[${role}] ${text}${isOpen ? '' : ' [end] '}`
  })
  return turns.join('') + (body.add_generation_prompt === false ? '' : '[assistant] ')
}

const ids = new Map<string, number>()

function tokenId(token: string): number {
  if (!ids.has(token)) ids.set(token, ids.size)
  return ids.get(token)!
}

/** Words with the space before them. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}

function logProbabilitiesOf(tokens: readonly string[], options: OpenAIServerOptions): number[] {
  const score = options.logProbability ?? ((token: string) => -token.trim().length / 10)
  return tokens.map((token, index) => score(token, tokens.slice(0, index)))
}

function usualEmbedding(input: string): number[] {
  const rng = new Rng(input)
  return Array.from({ length: 8 }, () => rng.normal())
}

const transparentPixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

function sendError(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ error: { message, type: 'error', param: null, code: status } }))
}
