import { defineMethod } from './method.ts'

export const vladvaMethod = defineMethod({ id: 'vladva', parts: ['guerdon/learn#symmetricInfoNceLosses'] })
