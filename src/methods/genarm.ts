import { defineMethod } from './method.ts'

export const genarmMethod = defineMethod({
  id: 'genarm',
  parts: [
    'guerdon/learn#autoregressiveRewardLosses',
    'guerdon/learn#languagePolicy',
    'guerdon/nets#guidedDecoder',
    'guerdon/nets#guidedLogp',
    'guerdon/nets#valueGuidedDecoder',
  ],
})
