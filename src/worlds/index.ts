/** Scenes of coloured shapes with captions, questions, boxes, clips and an oracle (W1). */
export * as scenes from './scenes/index.ts'
export * from './showcase.ts'
