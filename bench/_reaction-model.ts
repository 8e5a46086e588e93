import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pretrain } from '../src/learn/pretrain/pretrain.ts'
import type { Recipe } from '../src/learn/pretrain/recipe.ts'
import { textLm } from '../src/learn/pretrain/text-lm.ts'
import { dialogueBatch } from '../src/learn/pretrain/text-model.ts'
import type { EmbeddedLanguageModel } from '../src/nets/embedded/index.ts'
import { loadEmbedded } from '../src/nets/embedded/load-embedded.ts'
import { text } from '../src/worlds/index.ts'

const length = 96
const rows = 16

/** Dialogues in which the user reacts to the answer, four times out of five as it deserves; only reactions are learnt. */
const batches: Recipe['batches'] = (seed) => (rng) => {
  const dialogues: text.Dialogue[] = []
  while (dialogues.length < rows) {
    const { task, answer } = text.corpusItem(`reactions/${seed}`, rng.int(0, 2 ** 31), {
      kinds: { instruction: 1 },
      candidates: { good: 0.5 },
    })
    if (task.task !== 'instruction') continue
    const { tokens } = text.drawReaction(task, answer.tokens, rng)
    const dialogue = text.dialogueWithReaction(text.taskPrompt(task), answer.tokens, tokens)
    if (dialogue.ids.length <= length) dialogues.push(dialogue)
  }
  return dialogueBatch(dialogues, length)
}

/** `text-lm`, having read how users of the text world react: follow-up likelihood is made for such a model. */
export async function reactionModel(steps: number): Promise<EmbeddedLanguageModel> {
  const directory = await mkdtemp(join(tmpdir(), 'guerdon-reactions-'))
  try {
    const recipe: Recipe = {
      ...textLm,
      name: 'text-lm-reactions',
      from: { model: 'text-lm' },
      stages: [{ steps, peak: 2e-3, warmup: Math.ceil(steps / 20) }],
      batches,
    }
    const { path } = await pretrain(recipe, { directory, every: steps })
    return (await loadEmbedded(path)) as EmbeddedLanguageModel
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
