import { defineMethod } from './method.ts'

export const palMethod = defineMethod({
  id: 'pal',
  parts: ['guerdon/learn#idealPoints', 'guerdon/learn#mixtureWeights', 'guerdon/learn#distanceDifferences'],
})
