/** Games and a household, as decision processes with oracles and as environments (W3). */
export * as control from './control/index.ts'
export * from './environment.ts'
export * from './environments.ts'
/** Scenes of coloured shapes with captions, questions, boxes, clips and an oracle (W1). */
export * as scenes from './scenes/index.ts'
export * from './showcase.ts'
/** Instructions, answers, arithmetic and tool calls in a closed vocabulary, with annotators, users and an oracle (W4). */
export * as text from './text/index.ts'
