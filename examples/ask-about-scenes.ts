// A small vision-language model that comes with the package: asked about a picture, read for its probabilities, decoded
// step by step, and judged by the oracle of the pictures.
import { loadEmbedded } from 'guerdon/embedded'
import { ask, succeeded } from 'guerdon/models'
import { scenes } from 'guerdon/worlds'

const model = await loadEmbedded('scenes-vlm')
const scene = scenes.sceneWorld({ split: 'test', objects: [3, 3] }).scene(0)
const picture = scenes.toRaster(scenes.renderScene(scene))
const { colour, shape } = scene.objects[0]!
const question = `is there a ${colour} ${shape} in the image?`
console.log(`in the picture: ${scene.objects.map(scenes.typeName).join(', ')}`)

// In words. What a caption claims can be checked, claim by claim.
const [caption, count, answer] = await model.chat([
  ask('describe the image.', picture),
  ask('how many shapes are there?', picture),
  ask(question, picture),
])
console.log(caption!.text, '|', count!.text, '|', answer!.text)
const { claims } = scenes.oracle.caption(scene, caption!.text ?? '')
console.log(`${claims.filter(({ truth }) => truth).length} of ${claims.length} claims are true`)

// As probabilities: of yes and no, with and without the picture, and of a given answer.
const [seen, unseen] = succeeded(
  await model.choices([ask(question, picture), ask(question)], { yes: ['yes'], no: ['no'] }),
)
console.log(`yes ${seen!.among.yes.toFixed(2)}, without the picture ${unseen!.among.yes.toFixed(2)}`)
const [given] = succeeded(
  await model.logProbabilities([{ prompt: ask(question, picture), answer: 'no' }], { ended: true }),
)
console.log(`"no" has ${given!.logp.reduce((a, b) => a + b, 0).toFixed(1)} nats`)

// Token by token, with the hidden state of the last block beside the logits.
let view = await model.open([ask('describe the image.', picture)], { taps: [2] })
const tokens: number[] = []
for (;;) {
  const logits = view.logits[0]!
  const next = logits.indexOf(Math.max(...logits))
  if (next === model.end || tokens.length === 40) break
  tokens.push(next)
  view = await view.append([next])
}
console.log(model.tokenizer.decode(tokens), `(${view.hidden[0]![0]!.length} numbers of the last state)`)
await model.dispose()
