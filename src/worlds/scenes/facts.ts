import { counted } from './caption.ts'
import { placeText } from './caption-parser.ts'
import { placeOf } from './graph.ts'
import { countOf, listText, matching, type Noun, nounText, withArticle } from './noun.ts'
import { coloursOf, type Query } from './query.ts'
import type { Scene, SceneObject } from './scene.ts'

/**
 * True sentences of the caption grammar from which a question can be answered without the image, in the order of
 * thought: what is there, then what follows (a count, a relation). A chain of thought is right when it says these.
 */
export function factsFor(scene: Scene, query: Query): string[] {
  switch (query.ask) {
    case 'whether': {
      const { claim } = query
      switch (claim.kind) {
        case 'object':
        case 'count':
          return countFacts(scene, claim.noun)
        case 'attribute':
          return nounFacts(scene, claim.noun)
        case 'relation':
          return [...nounFacts(scene, claim.subject), ...nounFacts(scene, claim.object)]
        case 'colours':
          return colourFacts(scene)
        case 'background':
          return [backgroundFact(scene)]
      }
      break
    }
    case 'how many':
      return countFacts(scene, query.noun)
    case 'colour':
    case 'shape':
    case 'size':
    case 'place':
      return nounFacts(scene, query.noun)
    case 'what is': {
      return [
        ...nounFacts(scene, query.anchor),
        ...scene.objects
          .filter((object) => !matching(scene, query.anchor).includes(object))
          .map((object) => itemFact(scene, object)),
      ]
    }
    case 'more':
    case 'fewer':
      return [query.noun, query.than].map((noun) => sentence(counted(noun, countOf(scene, noun))))
    case 'colours':
      return colourFacts(scene)
    case 'background':
      return [backgroundFact(scene)]
  }
  return []
}

function sentence(text: string): string {
  return `${text}.`
}

/** Every matching object, then how many there are. */
function countFacts(scene: Scene, noun: Noun): string[] {
  return [
    ...matching(scene, noun).map((object) => itemFact(scene, object)),
    sentence(counted(noun, countOf(scene, noun))),
  ]
}

function nounFacts(scene: Scene, noun: Noun): string[] {
  return matching(scene, noun).map((object) => itemFact(scene, object))
}

/** "a small red circle at the top left." */
function itemFact(scene: Scene, object: SceneObject): string {
  const { size, colour, shape } = object
  return sentence(`${withArticle(nounText({ size, colour, shape }))} ${placeText(placeOf(object, scene))}`)
}

function colourFacts(scene: Scene): string[] {
  const shown = coloursOf(scene)
  return shown.length === 0 ? ['there are no shapes.'] : [sentence(`the colours are ${listText(shown)}`)]
}

function backgroundFact(scene: Scene): string {
  return sentence(`the background is ${scene.background}`)
}
