import { defineMethod } from './method.ts'

export const mRewardbenchMethod = defineMethod({
  id: 'm-rewardbench',
  benchmarks: ['m-rewardbench', 'text-languages'],
  parts: ['guerdon/audit#multilingualSummary'],
})
