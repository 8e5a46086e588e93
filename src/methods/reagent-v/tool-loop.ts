import {
  messageOf,
  promptText,
  type Sample,
  type ScoreContext,
  type Unscored,
  type Usage,
  unscored,
  type Variant,
} from '../../core/index.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import { byReply, type Reading, type ReplyOptions, type ReplyReader } from '../../rewards/judge/asking.ts'
import { type Ask, askAll, isRead } from '../../rewards/judge/judge.ts'
import type { JudgePrompt } from '../../rewards/judge/judge-prompt.ts'
import { showing } from '../../rewards/judge/settings.ts'
import { totalUsage } from '../../rewards/usage.ts'
import { withoutThoughts } from '../../rewards/verifiable/extract/extract.ts'

/** Something that looks at a video in its own way: reads its text, its speech, its scene graph. */
export interface VideoTool {
  /** As the model names it. */
  readonly name: string
  /** What it finds out, in a few words. */
  readonly about: string
  /** What it finds for a question about the video in the sample's prompt. */
  run(sample: Sample, question: string, signal?: AbortSignal): Promise<string>
}

export interface ToolLoopOptions {
  readonly tools: readonly VideoTool[]
  /** Answers at most: the first, and one after each round of open questions. @default 2 */
  readonly rounds?: number
  /** released: a tool is meant wherever its name stands in the reply; else the reply is a list. @default 'guarded' */
  readonly variant?: Variant
  readonly reply?: Omit<ReplyOptions, 'votes'>
  readonly context?: ScoreContext
}

export interface ToolAnswer {
  readonly answer: string
  /** What the tools said, in the order in which they were asked. */
  readonly findings: readonly { readonly tool: string; readonly question: string; readonly text: string }[]
  /** What the critic still wanted to know of the last answer; empty where it is complete. */
  readonly open: readonly string[]
  readonly rounds: number
  readonly usage: Usage
}

export const toolPrompt: JudgePrompt = {
  version: '1',
  user: `Question about a video:
{question}
Tools:
{tools}
Which tools are needed to answer it? Reply as a JSON list of their names, [] for none.`,
}

export const toolAnswerPrompt: JudgePrompt = {
  version: '1',
  user: `{prompt}
{findings|what tools found}
Answer the question in one or two sentences.`,
}

export const openQuestionsPrompt: JudgePrompt = {
  version: '1',
  system: 'You are the critic of answers to questions about a video.',
  user: `Question:
{prompt}
{output|answer}
If the answer is complete, reply []. Otherwise reply with a JSON list of one to three questions (what, where, when, which, how) about things that can be seen, whose answers are missing.`,
}

interface Look {
  readonly sample: Sample
  readonly findings: ToolAnswer['findings'][number][]
  readonly usage: (Usage | undefined)[]
  /** Still to be put to the tools. */
  questions: readonly string[]
  answer: string
  open: readonly string[]
  rounds: number
  failure?: Unscored
}

/**
 * Answers questions about videos with tools: the model says which tools a question needs, they run, it answers with what
 * they found, and a critic says what is still open, which is asked in another round. One result for each sample, whose
 * prompt holds the video; unscored where a call or a tool failed. A critic that cannot be read has nothing to ask.
 *
 * Frames are chosen before (`selectFrames`), the report and the reflection come after (`reagent-v`, `reflect`).
 *
 * @source ReAgent-V, arXiv 2506.01300 (steps 2 and 3; the words are ours)
 */
export async function answerWithTools(
  model: ChatModel,
  samples: readonly Sample[],
  { tools, rounds = 2, variant = 'guarded', reply = {}, context = {} }: ToolLoopOptions,
): Promise<(ToolAnswer | Unscored)[]> {
  const looks = samples.map(
    (sample): Look => ({
      sample,
      findings: [],
      usage: [],
      questions: [textOfQuestion(sample)],
      answer: '',
      open: [],
      rounds: 0,
    }),
  )
  const asking = async <Value>(
    prompt: JudgePrompt,
    reader: ReplyReader<Value>,
    asks: readonly (Ask & { readonly look: Look })[],
    read: (look: Look, value: Value | undefined, at: Ask) => void,
  ) => {
    const options = {
      name: 'reagent-v',
      prompt,
      ask: byReply(model, reader, reply),
      criterion: {},
      ...showing(variant, {}),
    }
    const readings: (Reading<Value> | Unscored)[] = await askAll(asks, options, context)
    for (const [index, reading] of readings.entries()) {
      const { look } = asks[index]!
      look.usage.push(reading.usage)
      if (isRead(reading)) read(look, reading.votes[0]!, asks[index]!)
      else if (reading.code === 'unparsable') read(look, undefined, asks[index]!)
      else look.failure ??= reading
    }
  }
  const listed = tools.map(({ name, about }) => `${name}: ${about}`).join('\n')
  for (let round = 1; round <= rounds; round++) {
    const active = () =>
      looks.filter(({ failure, questions }) => failure === undefined && questions.length > 0)
    const toRun: { look: Look; tool: VideoTool; question: string }[] = []
    if (tools.length > 0)
      await asking(
        toolPrompt,
        toolReader(tools, variant),
        active().flatMap((look) =>
          look.questions.map((question, index) => ({
            key: `${look.sample.id}/tools/${round}/${index}`,
            look,
            sample: look.sample,
            material: { question, tools: listed },
          })),
        ),
        (look, chosen, { material }) => {
          const question = String(material.question)
          for (const tool of chosen ?? [])
            if (!look.findings.some((known) => known.tool === tool.name && known.question === question))
              toRun.push({ look, tool, question })
        },
      )
    const found = await Promise.all(toRun.map((each) => runTool(each, context.signal)))
    for (const [index, text] of found.entries()) {
      const { look, tool, question } = toRun[index]!
      if (typeof text === 'string') look.findings.push({ tool: tool.name, question, text })
      else look.failure ??= text
    }
    await asking(
      toolAnswerPrompt,
      wholeReply,
      active().map((look) => ({
        key: `${look.sample.id}/answer/${round}`,
        look,
        sample: look.sample,
        material: {
          findings:
            look.findings.length === 0
              ? undefined
              : look.findings.map(({ tool, question, text }) => `${tool} (${question}): ${text}`).join('\n'),
        },
      })),
      (look, said) => {
        if (said === undefined) look.failure ??= unscored('unparsable', 'the model gave no answer')
        else Object.assign(look, { answer: said, rounds: round })
      },
    )
    await asking(
      openQuestionsPrompt,
      questionReader,
      active().map((look) => ({
        key: `${look.sample.id}/open/${round}`,
        look,
        sample: look.sample,
        material: { output: look.answer },
      })),
      (look, open = []) => Object.assign(look, { open, questions: open }),
    )
  }
  return looks.map(({ failure, answer, findings, open, rounds: done, usage }) => {
    const all = totalUsage(usage)
    return failure === undefined
      ? { answer, findings, open, rounds: done, usage: all }
      : { ...failure, usage: all }
  })
}

function textOfQuestion({ prompt }: Sample): string {
  return promptText(prompt).trim()
}

async function runTool(
  { look, tool, question }: { look: Look; tool: VideoTool; question: string },
  signal: AbortSignal | undefined,
): Promise<string | Unscored> {
  try {
    return await tool.run(look.sample, question, signal)
  } catch (error) {
    return signal?.aborted
      ? unscored('cancelled', 'cancelled while a tool was running')
      : unscored('outage', `the tool ${tool.name} failed: ${messageOf(error)}`)
  }
}

function toolReader(tools: readonly VideoTool[], variant: Variant): ReplyReader<readonly VideoTool[]> {
  return {
    params: { tools: tools.map(({ name }) => name), variant },
    read: (reply) => {
      if (variant === 'released') return tools.filter(({ name }) => reply.includes(name))
      const names = textsIn(reply)
      return (
        names && tools.filter(({ name }) => names.some((said) => said.toLowerCase() === name.toLowerCase()))
      )
    },
  }
}

const questionReader: ReplyReader<readonly string[]> = {
  params: 'open questions',
  read: (reply) => textsIn(reply)?.slice(0, 3),
}

const wholeReply: ReplyReader<string> = {
  params: 'whole reply',
  read: (reply) => withoutThoughts(reply).trim() || undefined,
}

/** The texts of the JSON list that a reply is or holds last; undefined where there is none. */
function textsIn(reply: string): readonly string[] | undefined {
  const shown = withoutThoughts(reply)
  for (
    let start = shown.lastIndexOf('[');
    start >= 0;
    start = start === 0 ? -1 : shown.lastIndexOf('[', start - 1)
  ) {
    const end = shown.lastIndexOf(']')
    if (end < start) continue
    try {
      const list: unknown = JSON.parse(shown.slice(start, end + 1))
      if (Array.isArray(list) && list.every((item) => typeof item === 'string'))
        return list.map((item: string) => item.trim()).filter(Boolean)
    } catch {}
  }
  return undefined
}
