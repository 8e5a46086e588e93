// Where an answer stands in a model's output. Every extractor is linear in the length of the text.
export * from './asides.ts'
export * from './extract-boxed.ts'
export * from './extract-choice.ts'
export * from './extract-json.ts'
export * from './extract-numbers.ts'
export * from './extract-tag.ts'
export * from './extraction.ts'
