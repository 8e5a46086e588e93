import type { Message, Turns } from '../../core/index.ts'

/** How the text of a dialogue marks who speaks. */
interface TemplateFamily {
  readonly name: string
  /** Cheap: whether to look at all. */
  readonly sign: string
  /** What stands before a turn, with its role as the first group that matched. */
  readonly header: RegExp
}

const families: readonly TemplateFamily[] = [
  { name: 'chatml', sign: '<|im_start|>', header: /<\|im_start\|>(\w+)(?:\n|<\|im_sep\|>)/g },
  {
    name: 'llama-3',
    sign: '<|start_header_id|>',
    header: /<\|start_header_id\|>(\w+)<\|end_header_id\|>\n{0,2}/g,
  },
  { name: 'llama-4', sign: '<|header_start|>', header: /<\|header_start\|>(\w+)<\|header_end\|>\n{0,2}/g },
  { name: 'gemma', sign: '<start_of_turn>', header: /<start_of_turn>(\w+)\n/g },
  { name: 'deepseek', sign: '<｜Assistant｜>', header: /<｜(User|Assistant)｜>/g },
  { name: 'harmony', sign: '<|message|>', header: /<\|start\|>(\w+)(?:<\|channel\|>\w+)?<\|message\|>/g },
  { name: 'command', sign: '<|START_OF_TURN_TOKEN|>', header: /<\|START_OF_TURN_TOKEN\|><\|(\w+)_TOKEN\|>/g },
  { name: 'phi', sign: '<|assistant|>', header: /<\|(system|user|assistant|observation|tool)\|>\n?/g },
  { name: 'mistral', sign: '[/INST]', header: /\[(\/?INST)\] ?/g },
  { name: 'alpaca', sign: '### Response:', header: /(?:^|\n)### (Instruction|Input|Response): ?\n?/g },
  { name: 'transcript', sign: '\n\nAssistant:', header: /\n\n(Human|Assistant): ?/g },
  { name: 'vicuna', sign: 'ASSISTANT:', header: /(?:^|\s)(USER|ASSISTANT): ?/g },
]

const roles: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  inst: 'user',
  instruction: 'user',
  input: 'user',
  assistant: 'assistant',
  model: 'assistant',
  chatbot: 'assistant',
  '/inst': 'assistant',
  response: 'assistant',
  tool: 'tool',
  ipython: 'tool',
  function: 'tool',
  observation: 'tool',
  environment: 'tool',
}

/** Marks of an end or of padding; a response is read without those that it ends in. */
const endMarks = [
  '<|im_end|>',
  '<|endoftext|>',
  '<|eot_id|>',
  '<|end_of_text|>',
  '<|eom_id|>',
  '<|eot|>',
  '<|finetune_right_pad_id|>',
  '<end_of_turn>',
  '<eos>',
  '<pad>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<|pad|>',
  '<|endofprompt|>',
  '<|END_OF_TURN_TOKEN|>',
  '<｜end▁of▁sentence｜>',
  '<|vision_pad|>',
  '</s>',
  '<unk>',
  '[PAD]',
  '[EOS]',
]

const beginMarks = [
  '<s>',
  '<bos>',
  '<|begin_of_text|>',
  '<|startoftext|>',
  '<｜begin▁of▁sentence｜>',
  '<BOS_TOKEN>',
  '[gMASK]',
  '<sop>',
]

/** A templated string, taken apart. */
export interface SplitText {
  readonly prompt: Turns
  readonly output: string
}

/**
 * Prompt and response of one templated string, as OpenRLHF, LLaMA-Factory and verl send them: the response is what stands
 * after the last mark of the assistant's turn, without end marks and padding. `prompt` is the string that the prompt was
 * sent as, where it was: the response is then what follows it. Where neither helps, all of it is the response.
 *
 * A string says nothing of where it came from: a response that writes marks itself is read as turns. With `prompt` it is
 * not.
 */
export function splitTemplated(text: string, prompt?: string): SplitText {
  if (prompt !== undefined && prompt !== '' && text.startsWith(prompt))
    return { prompt: promptTurns(prompt), output: withoutEndMarks(text.slice(prompt.length)) }
  const turns = turnsOf(text)
  const last = turns?.at(-1)
  if (last?.role === 'assistant')
    return {
      prompt: prompt ? promptTurns(prompt) : turns!.slice(0, -1),
      output: withoutEndMarks(last.content as string),
    }
  return { prompt: prompt ? promptTurns(prompt) : '', output: withoutEndMarks(withoutBeginMarks(text)) }
}

/**
 * The turns of a templated prompt, without the mark that invites the answer; as it is (less marks at its ends) where no
 * template is recognised.
 */
export function promptTurns(text: string): Turns {
  const known = read.get(text)
  if (known !== undefined) return known
  const turns = turnsOf(text)
  const prompt =
    turns === undefined
      ? withoutEndMarks(withoutBeginMarks(text))
      : turns.at(-1)!.role === 'assistant'
        ? turns.slice(0, -1)
        : turns
  if (text.length > 65_536) return prompt
  if (read.size >= 64) read.delete(read.keys().next().value!)
  read.set(text, prompt)
  return prompt
}

/** The prompts read last: the answers to one come one after the other. */
const read = new Map<string, Turns>()

function turnsOf(text: string): Message[] | undefined {
  const family = families.find(({ sign }) => text.includes(sign))
  if (family === undefined) return undefined
  const headers = [...text.matchAll(family.header)]
  if (headers.length === 0) return undefined
  const turns: Message[] = []
  const before = withoutEndMarks(withoutBeginMarks(text.slice(0, headers[0]!.index))).trim()
  if (before !== '') turns.push({ role: 'system', content: before })
  headers.forEach((header, index) => {
    const role = roles[header[1]!.toLowerCase()]
    const next = headers[index + 1]
    const content = text.slice(header.index + header[0].length, next?.index)
    // What the last turn says is the response: nothing of it is touched here.
    if (role !== undefined)
      turns.push({
        role,
        content: next === undefined ? content : withoutEndMarks(withoutBeginMarks(content)).trim(),
      })
  })
  if (turns.length === 0) return undefined
  return family.name === 'mistral' ? withSystemApart(turns) : turns
}

/** Llama 2 writes the system prompt into the first turn of the user. */
function withSystemApart(turns: readonly Message[]): Message[] {
  return turns.flatMap((turn): Message[] => {
    const found =
      turn.role === 'user' && /^<<SYS>>\s*([\s\S]*?)\s*<<\/SYS>>\s*([\s\S]*)$/.exec(turn.content as string)
    return found
      ? [
          { role: 'system', content: found[1]! },
          { role: 'user', content: found[2]! },
        ]
      : [turn]
  })
}

/** A response without the marks of its end and the padding after it; one without marks is left as it is. */
export function withoutEndMarks(text: string): string {
  let end = text.length
  for (;;) {
    let last = end
    while (last > 0 && text.charCodeAt(last - 1) <= 32) last--
    const code = text.charCodeAt(last - 1)
    if (code !== 62 && code !== 93) break // > and ]
    const mark = endMarks.find((each) => text.endsWith(each, last))
    if (mark === undefined) break
    end = last - mark.length
  }
  return end === text.length ? text : text.slice(0, end).trimEnd()
}

function withoutBeginMarks(text: string): string {
  let start = 0
  for (;;) {
    const mark = beginMarks.find((each) => text.startsWith(each, start))
    if (mark === undefined) return start === 0 ? text : text.slice(start)
    start += mark.length
  }
}
