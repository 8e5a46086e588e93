import { defineMethod } from './method.ts'

export const vlRewardbenchMethod = defineMethod({ id: 'vl-rewardbench', benchmarks: ['vl-rewardbench'] })
