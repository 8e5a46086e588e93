import { defineMethod } from './method.ts'

export const rlGenaiSurveyMethod = defineMethod({
  id: 'rl-genai-survey',
  parts: ['guerdon/methods#taxonomy'],
})
