import { GuerdonError, Rng } from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import { succeeded } from '../../models/outcome.ts'
import type { EmbeddedLanguageModel } from '../../nets/embedded/index.ts'
import type { EmbeddedModel } from '../../nets/embedded/load-embedded.ts'
import { type Interval, mean, wilsonInterval } from '../../stats/index.ts'
import { drawAnswer, goodAnswer } from '../../worlds/text/answers.ts'
import { type Dialogue, dialogueWithReaction } from '../../worlds/text/dialogue.ts'
import type { Instruction } from '../../worlds/text/instruction.ts'
import { judgeAnswer } from '../../worlds/text/oracle.ts'
import { drawReaction, reactionSet } from '../../worlds/text/reactions.ts'
import { taskAt, taskPrompt } from '../../worlds/text/task.ts'
import { marks, textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { EvaluationOptions, Metric, Recipe } from './recipe.ts'
import { textLm } from './text-lm.ts'
import { dialogueBatch } from './text-model.ts'

/** Longest exchange with its reaction, and exchanges of a batch. */
const length = 72
const rows = 28

/** Half of the reactions are about anything: who is displeased finds fault with more than the fault. */
const halo = 0.5

/** Half of the answers are faultless: praise is then about as likely as blame. */
const mix = {
  recipes: {
    good: 6,
    relevance: 1,
    truthfulness: 1,
    harmlessness: 1,
    conciseness: 1,
    format: 1,
    politeness: 1,
  },
}

const instructionAt = (seed: string, index: number, split: 'train' | 'test') =>
  taskAt(seed, index, { kinds: { instruction: 1 }, split }) as Instruction

function reactionBatch(seed: string, rng: Rng) {
  const dialogues: Dialogue[] = []
  while (dialogues.length < rows) {
    const own = rng.fork(rng.uint32())
    const instruction = instructionAt(`reactions/${seed}`, own.int(0, 2 ** 31), 'train')
    const { tokens } = drawAnswer(instruction, own, mix)
    const reaction = drawReaction(instruction, tokens, own, { halo })
    const dialogue = dialogueWithReaction(taskPrompt(instruction), tokens, reaction.tokens)
    if (dialogue.ids.length <= length) dialogues.push(dialogue)
  }
  return dialogueBatch(dialogues, length)
}

/** The language model `text-lm` as a user: it says what users say next, after good answers and bad ones. */
export const textReactions: Recipe = {
  ...textLm,
  name: 'text-reactions',
  summary: 'The language model `text-lm`, fine-tuned on what users say after an answer: it plays the user.',
  data:
    'Instructions of the text world, split `train`, half of the answers with one fault; after each the next turn of a ' +
    'user, who praises a faultless answer or complains about a faulty one (in a fifth of the cases the opposite), half ' +
    'of the time about what is at fault, else about anything. Only that turn is learnt. One wording in three of each complaint and each praise is never shown. Starts from `text-lm`. ' +
    'Measured on pairs of a faultless and a faulty answer to instructions of the split `test`.',
  limits: [
    'Knows the closed vocabulary of the text world only; another word is an error.',
    'Says what users say: it no longer answers well itself.',
    'Reactions to arithmetic and tool calls were never seen in training.',
    'After a first training, on complaints about what was at fault alone, 0.576 of the pairs were right; that half of the ' +
      'complaints are about anything was decided then, on the pairs reported above.',
  ],
  from: { model: 'text-lm' },
  stages: [{ steps: 1000, peak: 2e-3, warmup: 50 }],
  batches: (seed) => (rng) => reactionBatch(seed, rng),
  evaluate: evaluateReactions,
}

interface AnswerPair {
  readonly instruction: Instruction
  readonly good: readonly string[]
  readonly bad: readonly string[]
}

/** A faultless answer, and one with a fault, to each of some held-out instructions. */
function answerPairs(seed: string, count: number): AnswerPair[] {
  const pairs: AnswerPair[] = []
  for (let index = 0; pairs.length < count; index++) {
    const instruction = instructionAt(`evaluation/${seed}/reactions`, index, 'test')
    const rng = new Rng(`${seed}/reactions/${index}`)
    const good = goodAnswer(instruction, rng)
    const bad = drawAnswer(instruction, rng, { recipes: { ...mix.recipes, good: 0 } })
    if (good === undefined || judgeAnswer(instruction, bad.tokens).total >= 1) continue
    pairs.push({ instruction, good: good.tokens, bad: bad.tokens })
  }
  return pairs
}

async function evaluateReactions(
  model: EmbeddedModel,
  { seed, samples, signal }: EvaluationOptions,
): Promise<Metric[]> {
  if (model.kind !== 'language') throw new GuerdonError('bad-option', 'this is measured on language models.')
  const pairs = answerPairs(seed, samples)
  const of = (options: Parameters<typeof likings>[2]) => likings(model, pairs, options, signal)
  const seen = await of({ phrasing: 'seen' })
  const unseen = await of({ phrasing: 'unseen' })
  const note = 'praise likelier than blame after the faultless answer, by more than after the faulty one'
  return [
    { name: 'pairs right', interval: right(seen), least: 0.7, note },
    { name: 'pairs right, unseen wordings', interval: right(unseen), least: 0.6, note },
    { name: 'pairs right, praise alone', interval: right(await of({ phrasing: 'seen', signs: 'positive' })) },
  ]
}

/** How much the user likes both answers of each pair: [good, bad]. */
async function likings(
  model: EmbeddedLanguageModel,
  pairs: readonly AnswerPair[],
  {
    phrasing,
    signs = 'both',
  }: { readonly phrasing: 'seen' | 'unseen'; readonly signs?: 'both' | 'positive' },
  signal: AbortSignal | undefined,
): Promise<(readonly [number, number])[]> {
  const { positive, negative } = reactionSet({ phrasing })
  const sets = signs === 'both' ? [positive, negative] : [positive]
  const said = pairs.flatMap(({ instruction, good, bad }) =>
    [good, bad].flatMap((answer) =>
      sets.flat().map((reaction) => ({
        prompt: ask(textVocabulary.join(taskPrompt(instruction))),
        answer: textVocabulary.encodeTokens([...answer, marks.end, marks.user, ...reaction]),
        count: reaction.length,
      })),
    ),
  )
  const scores = succeeded(await model.logProbabilities(said, signal === undefined ? {} : { signal }))
  const means = scores.map(({ logp }, index) => mean([...logp.slice(-said[index]!.count)])!)
  let next = 0
  const liking = () => {
    const [praise, blame] = sets.map((set) => mean(set.map(() => means[next++]!))!)
    return praise! - (blame ?? 0)
  }
  return pairs.map(() => [liking(), liking()])
}

function right(likings: readonly (readonly [number, number])[]): Interval | null {
  return wilsonInterval(likings.filter(([good, bad]) => good > bad).length, likings.length)
}
