import { defineMethod } from './method.ts'

export const mhaldetectFdpoMethod = defineMethod({
  id: 'mhaldetect-fdpo',
  benchmarks: ['m-haldetect'],
  parts: ['guerdon/learn#spanPreferenceLosses'],
})
