import { defineMethod } from './method.ts'

export const ctrlUMethod = defineMethod({
  id: 'ctrl-u',
  parts: ['guerdon#ctrlULoss', 'guerdon#uncertaintyWeights'],
})
