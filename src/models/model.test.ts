import { expect, expectTypeOf, test } from 'vitest'
import type { aiSdkModel } from './ai-sdk-model.ts'
import { withCalls } from './calls/call-scope.ts'
import type { ChatModel } from './chat-model.ts'
import { completionsModel } from './endpoint/completions-model.ts'
import { type OpenAIModel, openaiModel } from './endpoint/openai-model.ts'
import type { VllmModel } from './endpoint/vllm-model.ts'
import { capable, type Model } from './model.ts'
import type { ChoiceModel, LogProbabilityModel, StepModel, TokenModel } from './token-model.ts'

test('what a model lacks is a type error where its type is known', () => {
  expectTypeOf<ReturnType<typeof aiSdkModel>>().not.toExtend<ChoiceModel>()
  expectTypeOf<OpenAIModel>().toExtend<ChatModel & ChoiceModel>()
  expectTypeOf<OpenAIModel>().not.toExtend<LogProbabilityModel>()
  expectTypeOf<VllmModel>().toExtend<LogProbabilityModel>()
  expectTypeOf<VllmModel>().not.toExtend<StepModel>()
  expectTypeOf<TokenModel>().toExtend<ChoiceModel & LogProbabilityModel & StepModel>()
  expectTypeOf<Model>().not.toExtend<ChatModel>()
})

test('and a clear message where only its name is known', () => {
  const model: Model = completionsModel('m', { baseUrl: 'http://user:pass@localhost:1/v1/?key=abc' })
  expect(model.id).toBe('m@http://localhost:1/v1')
  expect(capable(model, 'choices')).toBe(model)
  expect(() => capable(model, 'chat')).toThrow(
    /m@http:\/\/localhost:1\/v1 cannot do what is needed: none that answers in words \(chat\)\. It can: choices .*, logProbabilities/,
  )
})

test('options that are none are refused at once', () => {
  expect(() => openaiModel('m', { baseUrl: 'localhost:8000' })).toThrow(/is no address/)
  expect(() => openaiModel('m', { retries: -1 })).toThrow(/retries is -1; it is at least 0/)
  expect(() => openaiModel('m', { timeoutMs: Number.NaN })).toThrow(/timeoutMs/)
  expect(() => openaiModel('m', { topLogprobs: 0 })).toThrow(/topLogprobs/)
  expect(withCalls({}, () => 1)).toBe(1)
})
