import { defineMethod } from './method.ts'

export const gflowvlmMethod = defineMethod({
  id: 'gflowvlm',
  parts: [
    'guerdon/learn#varianceTrajectoryBalance',
    'guerdon/learn#subTrajectoryBalanceLosses',
    'guerdon/learn#detailedBalanceLosses',
    'guerdon/learn#flowMatching',
    'guerdon/learn#solutionDiversity',
  ],
})
