import { defineMethod } from './method.ts'

export const raftMethod = defineMethod({
  id: 'raft',
  parts: [
    'guerdon/learn#iterativeTraining',
    'guerdon/learn#selectedRollouts',
    'guerdon/learn#divergencePenalised',
  ],
})
