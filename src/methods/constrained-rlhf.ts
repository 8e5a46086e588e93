import { defineMethod } from './method.ts'

export const constrainedRlhfMethod = defineMethod({
  id: 'constrained-rlhf',
  parts: ['guerdon#multiplierStep', 'guerdon#tiltedPolicy'],
})
