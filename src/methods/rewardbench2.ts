import { defineMethod } from './method.ts'

export const rewardbench2Method = defineMethod({
  id: 'rewardbench2',
  benchmarks: ['rewardbench-2', 'text-rewardbench-2'],
})
