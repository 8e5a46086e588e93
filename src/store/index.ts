export { defaultStorePath, openStore } from './open.ts'
export type { SqliteOptions } from './sqlite.ts'
export * from './store.ts'
