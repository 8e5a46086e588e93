export { defaultStorePath, openStore } from './open.ts'
export { sampleText, textHash } from './sample-text.ts'
export type { SqliteOptions } from './sqlite.ts'
export * from './store.ts'
