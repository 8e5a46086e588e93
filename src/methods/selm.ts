import { defineMethod } from './method.ts'

export const selmMethod = defineMethod({ id: 'selm', parts: ['guerdon/learn#selfExplorationTerms'] })
