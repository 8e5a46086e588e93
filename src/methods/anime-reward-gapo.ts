import { defineMethod } from './method.ts'

export const animeRewardGapoMethod = defineMethod({
  id: 'anime-reward-gapo',
  parts: ['guerdon/learn#gapWeights', 'guerdon/learn#diffusionDpoLosses'],
})
