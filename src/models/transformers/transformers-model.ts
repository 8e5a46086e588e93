import { GuerdonError } from '../../core/index.ts'
import { beginnings } from '../beginnings.ts'
import { type ChatMessage, type ChatModel, type ChatReply, failedChat } from '../chat-model.ts'
import { isFailed, runReadable } from '../outcome.ts'
import { withoutReasoning } from '../reasoning.ts'
import {
  type ChoiceModel,
  choiceProbabilities,
  type LogProbabilityModel,
  logSoftmax,
  type TokenScores,
} from '../token-model.ts'
import {
  loading,
  type TransformersOptions,
  transformersId,
  transformersPackage,
} from './transformers-package.ts'

/** A language model of this process that answers and tells probabilities, over its whole vocabulary. */
export interface TransformersModel extends ChatModel, ChoiceModel, LogProbabilityModel {}

/**
 * A language model that runs in this process with transformers.js. It reads texts alone, one conversation at a time, and
 * answers greedily: another temperature than 0 fails each conversation, since its sampling cannot be seeded. Choices are
 * scored as given answers, each variant as it stands.
 *
 * @param model its name on the hub, such as `onnx-community/Qwen3-0.6B-ONNX`, or a local folder
 * @throws GuerdonError `package-missing`; what loading the weights throws
 */
export async function transformersModel(
  model: string,
  options: TransformersOptions = {},
): Promise<TransformersModel> {
  const { AutoTokenizer, AutoModelForCausalLM, Tensor } = await transformersPackage()
  const settings = loading(options)
  const [tokenizer, network] = await Promise.all([
    AutoTokenizer.from_pretrained(model, settings),
    AutoModelForCausalLM.from_pretrained(model, settings),
  ])
  const encode = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false })
  const promptTokens = (conversation: readonly ChatMessage[]): number[] => {
    if (conversation.some(({ images = [], frames = [] }) => images.length + frames.length > 0))
      throw new GuerdonError('no-images', 'language models of transformers.js see no images here.')
    if (conversation.length === 0) throw new GuerdonError('bad-conversation', 'the conversation is empty.')
    if (!tokenizer.chat_template) return encode(conversation.map(({ text }) => text).join('\n\n'))
    const messages = conversation.map(({ role, text }) => ({ role, content: text }))
    const ids = tokenizer.apply_chat_template(messages, {
      add_generation_prompt: true,
      tokenize: true,
      return_tensor: false,
      return_dict: false,
    })
    return (ids as number[]).map(Number)
  }
  const endToken = (): number => {
    const id = (tokenizer as unknown as { eos_token_id?: number }).eos_token_id
    if (id === undefined)
      throw new GuerdonError('not-available', 'the tokenizer has no token that ends an answer.')
    return id
  }
  const inputOf = (ids: readonly number[]) => ({
    input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
    attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), [1, ids.length]),
  })
  /** Of each token of the answer, given all before it [nats]. */
  const logProbabilitiesOf = async (prompt: readonly number[], answer: readonly number[]) => {
    const logp = new Float32Array(answer.length)
    if (answer.length === 0) return logp
    if (prompt.length === 0)
      throw new GuerdonError('bad-conversation', 'a prompt without tokens tells nothing of the first one.')
    const { logits } = (await network(inputOf([...prompt, ...answer]))) as {
      logits: InstanceType<typeof Tensor>
    }
    const width = logits.dims.at(-1)!
    const values = logits.to('float32').data as Float32Array
    for (const [index, token] of answer.entries()) {
      const place = prompt.length + index - 1
      logp[index] = logSoftmax(values.slice(place * width, (place + 1) * width))[token]!
    }
    return logp
  }
  const inTurn = async <Item, Result>(
    items: readonly Item[],
    signal: AbortSignal | undefined,
    run: (item: Item) => Promise<Result>,
  ) => {
    const results: Result[] = []
    for (const item of items) {
      signal?.throwIfAborted()
      results.push(await run(item))
    }
    return results
  }

  return {
    id: transformersId(model, options),

    async chat(conversations, { maxTokens = 512, temperature = 0, stop = [], signal } = {}) {
      const read = (conversation: readonly ChatMessage[]) => {
        if (temperature !== 0)
          throw new GuerdonError('not-available', 'transformers.js cannot be seeded; ask with temperature 0.')
        return promptTokens(conversation)
      }
      const answer = async (prompt: readonly number[]): Promise<ChatReply> => {
        const output = await network.generate({
          ...inputOf(prompt),
          max_new_tokens: maxTokens,
          do_sample: false,
        } as never)
        const ids = [...(output as InstanceType<typeof Tensor>).tolist()[0]].slice(prompt.length)
        const whole = tokenizer.decode(ids, { skip_special_tokens: true })
        const cut = Math.min(...stop.map((text) => whole.indexOf(text)).filter((at) => at >= 0), whole.length)
        return {
          ...withoutReasoning(whole.slice(0, cut)),
          finish: cut < whole.length || ids.length < maxTokens ? ('stop' as const) : ('length' as const),
          usage: { calls: 1, inputTokens: prompt.length, outputTokens: ids.length },
        }
      }
      const outcomes = await runReadable(
        conversations,
        read,
        (prompts) => inTurn(prompts, signal, answer),
        signal,
      )
      return outcomes.map(
        (outcome) => (isFailed(outcome) ? failedChat(outcome.failure) : outcome) as ChatReply,
      )
    },

    logProbabilities(pairs, { ended = false, signal } = {}) {
      return runReadable(
        pairs,
        ({ prompt, answer }) => ({
          prompt: promptTokens(prompt),
          answer: [...(typeof answer === 'string' ? encode(answer) : answer), ...(ended ? [endToken()] : [])],
        }),
        (read) =>
          inTurn(
            read,
            signal,
            async ({ prompt, answer }): Promise<TokenScores> => ({
              tokens: answer,
              logp: await logProbabilitiesOf(prompt, answer),
            }),
          ),
        signal,
      )
    },

    choices(conversations, variants, { signal } = {}) {
      const names = Object.keys(variants) as (keyof typeof variants)[]
      return runReadable(
        conversations,
        promptTokens,
        (prompts) =>
          inTurn(prompts, signal, async (prompt) => {
            const logps = {} as Record<(typeof names)[number], number[]>
            for (const name of names) {
              logps[name] = []
              for (const answer of beginnings(variants[name].map(encode))) {
                const logp = await logProbabilitiesOf(prompt, answer)
                logps[name].push(logp.reduce((a, b) => a + b, 0))
              }
            }
            return choiceProbabilities(logps)
          }),
        signal,
      )
    },
  }
}
