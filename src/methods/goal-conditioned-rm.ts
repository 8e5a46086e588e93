import { defineMethod } from './method.ts'

export const goalConditionedRmMethod = defineMethod({
  id: 'goal-conditioned-rm',
  parts: ['guerdon/learn#goalContrastLoss', 'guerdon/learn#contrastPlace'],
})
