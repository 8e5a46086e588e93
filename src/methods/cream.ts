import { defineMethod } from './method.ts'

export const creamMethod = defineMethod({
  id: 'cream',
  parts: ['guerdon/learn#consistencyLosses', 'guerdon/learn#rankingConsistency'],
})
