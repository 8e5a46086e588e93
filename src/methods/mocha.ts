import { defineMethod } from './method.ts'

export const mochaMethod = defineMethod({ id: 'mocha', benchmarks: ['openchair', 'scenes-openchair'] })
