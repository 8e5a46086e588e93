// Rewards of your own beside ours, for the command line: run "guerdon score answers.jsonl" in this folder.
import { defineConfig, defineReward, textOf } from 'guerdon'

const polite = defineReward({
  name: 'polite',
  judge: ({ output }) => (/\b(please|thank you|thanks)\b/i.test(textOf(output)) ? 1 : 0),
})

export default defineConfig({
  rewards: { polite, mix: 'math + 0.5*polite' },
  score: ['mix', 'math'],
})
