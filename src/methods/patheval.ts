import { defineMethod } from './method.ts'

export const pathevalMethod = defineMethod({
  id: 'patheval',
  benchmarks: ['patheval', 'paths', 'paths-described'],
})
