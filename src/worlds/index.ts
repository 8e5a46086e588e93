export * from './showcase.ts'
