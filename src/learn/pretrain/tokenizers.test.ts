import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { wordTokenizer } from '../../models/tokenizer.ts'
import { captionOf, captionStyles } from '../../worlds/scenes/caption.ts'
import { drawExchange } from '../../worlds/scenes/exchange.ts'
import { drawQuestion, questionKinds } from '../../worlds/scenes/questions.ts'
import { sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { sceneVocabulary } from '../../worlds/scenes/vocabulary.ts'
import { corpusItem } from '../../worlds/text/dialogue.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import { sceneTokenizer } from './scene-tokenizer.ts'
import { textLm } from './text-lm.ts'

test('the tokenizer stored with the language model reads and writes as the text world does', () => {
  const tokenizer = wordTokenizer(textLm.model.tokenizer)
  for (let index = 0; index < 300; index++) {
    const { ids } = corpusItem('tokenizer', index)
    const text = textVocabulary.decode(ids)
    expect(tokenizer.decode(ids, { marks: true })).toBe(text)
    expect(tokenizer.encode(text)).toEqual([...ids])
  }
})

test('the tokenizer stored with models of scenes reads and writes as the scenes do', () => {
  const tokenizer = wordTokenizer(sceneTokenizer)
  for (const scene of sceneWorld({ seed: 'tokenizer', split: 'composition' }).scenes(100)) {
    const rng = new Rng(scene.id)
    const texts = captionStyles.map((style) => captionOf(scene, rng, { style, synonyms: 0.3 }))
    for (const kind of questionKinds)
      for (const form of ['open', 'choice'] as const)
        texts.push(drawQuestion(scene, kind, rng, { form })?.text ?? '')
    const { prompt, answer } = drawExchange(scene, rng, { tasks: { referring: 1, caption: 0.1 } })
    texts.push(prompt, answer)
    for (const text of texts) {
      expect(tokenizer.encode(text)).toEqual(sceneVocabulary.encode(text))
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
    }
  }
})
