import { expect, test } from 'vitest'
import { CallLayer } from '../models/calls/call-layer.ts'
import { withCalls } from '../models/calls/call-scope.ts'
import { capabilitiesOf, type Model } from '../models/model.ts'
import { checkModelName, resolveModel } from './resolve-model.ts'

const at = 'http://localhost:1/v1'

test('a name says kind, model and address; what each kind can', async () => {
  const able = async (name: string) => capabilitiesOf(await resolveModel(name))
  expect(await able(`openai:Qwen/Qwen3-VL@2@${at}`)).toEqual(['chat', 'choices', 'embedText', 'generate'])
  expect((await resolveModel(`openai:Qwen/Qwen3-VL@2@${at}`)).id).toBe(`Qwen/Qwen3-VL@2@${at}`)
  expect(await able(`vllm:m@${at}`)).toContain('logProbabilities')
  expect(await able(`completions:m@${at}`)).toEqual(['choices', 'logProbabilities'])
  expect(await able('ai:openai-compatible/m').catch((error) => error.message)).toMatch(
    /no export "openaiCompatible"/,
  )
  expect(await able('ai:no-such-provider/m').catch((error) => error.message)).toMatch(
    /npm install ai @ai-sdk\/no-such-provider/,
  )
  expect(await resolveModel(`openai:m@${at}`)).toBe(await resolveModel(`openai:m@${at}`))
})

test('names of one own stand before all others, with their settings', async () => {
  const mine: Model = { id: 'mine', chat: async () => [] }
  const models = { judge: { model: `openai:m@${at}`, parameters: { reasoning_effort: 'low' } }, mine }
  await withCalls({ calls: new CallLayer(), models }, async () => {
    expect((await resolveModel('judge')).id).toMatch(/^m@http:\/\/localhost:1\/v1#[0-9a-f]{8}$/)
    expect(await resolveModel('mine')).toBe(mine)
    expect(() => checkModelName('judgee')).toThrow(/Did you mean "judge"/)
  })
  await expect(resolveModel('judge')).rejects.toThrow(/there is no model "judge"/)
})

test('names that stand for nothing are refused before anything is asked', () => {
  for (const name of ['gpt-5', 'opnai:m', 'openai:', '', 'vllm:m'])
    expect(() => checkModelName(name), name).toThrow(/there is no model|does not say where/)
  for (const name of ['embedded:scenes-vlm', 'openai:gpt-5-mini', 'ollama:llama3.2-vision', `vllm:m@${at}`])
    checkModelName(name)
})
