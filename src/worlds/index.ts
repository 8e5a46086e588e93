/** Scenes of coloured shapes with captions, questions, boxes, clips and an oracle (W1). */
export * as scenes from './scenes/index.ts'
export * from './showcase.ts'
/** Instructions, answers, arithmetic and tool calls in a closed vocabulary, with annotators, users and an oracle (W4). */
export * as text from './text/index.ts'
