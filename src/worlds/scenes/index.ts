export * from './attributes.ts'
export * from './biased-world.ts'
export * from './box-grammar.ts'
export * from './box-questions.ts'
export * from './caption.ts'
export { type Caption, moods, type PlacedClaim, parseCaption, placeText } from './caption-parser.ts'
export * from './claims.ts'
export * from './clips.ts'
export * from './exchange.ts'
export { factsFor } from './facts.ts'
export * from './graph.ts'
export * from './injector.ts'
export { countOf, matches, matching, type Noun, nounText } from './noun.ts'
export {
  type CaptionParts,
  type JudgedAnswer,
  type JudgedBoxes,
  type JudgedCaption,
  type JudgedClaim,
  oracle,
} from './oracle.ts'
export * from './painting.ts'
export * from './png.ts'
export { answerTo, coloursOf, parseQuery, type Query, queryText } from './query.ts'
export * from './question-set.ts'
export * from './questions.ts'
export * from './raster.ts'
export * from './recognise.ts'
export * from './referring.ts'
export * from './rollout-questions.ts'
export * from './samples.ts'
export * from './scene.ts'
export * from './scene-environment.ts'
export * from './scene-pair.ts'
export * from './scene-world.ts'
export { type ShapeTemplate, shapeTemplate } from './shape-template.ts'
export * from './task-codec.ts'
export { boxSteps, type SpecialToken, sceneVocabulary, specialTokens, type Vocabulary } from './vocabulary.ts'
export type { Span } from './words.ts'
