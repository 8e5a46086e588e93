import { defineMethod } from './method.ts'

export const irlLlmSurveyMethod = defineMethod({ id: 'irl-llm-survey', parts: ['guerdon/methods#taxonomy'] })
