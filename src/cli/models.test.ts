import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { command } from '../../tests/command.ts'
import { type OpenAIServer, openaiServer } from '../../tests/openai-server.ts'

let server: OpenAIServer
let folder: string
beforeAll(async () => {
  server = await openaiServer({
    reply: ({ text }) => (text.includes('sky') ? 'blue' : 'yes'),
    firstTokens: () => ({ Yes: 0.7, No: 0.2 }),
  })
  folder = mkdtempSync(join(tmpdir(), 'guerdon-models-'))
  writeFileSync(
    join(folder, 'data.jsonl'),
    Array.from({ length: 6 }, (_, index) =>
      JSON.stringify({
        id: `s${index}`,
        prompt: `what is ${index}`,
        output: `it is ${index}`,
        reference: `${index}`,
      }),
    ).join('\n'),
  )
  writeFileSync(
    join(folder, 'guerdon.config.mjs'),
    `export default { models: { judge: { model: 'openai:m@${server.baseUrl}', price: { input: 1, output: 2 } } } }`,
  )
})
afterAll(() => server.close())

const guerdon = (...args: string[]) =>
  command(['--store', join(folder, 'store.db'), '--config', join(folder, 'guerdon.config.mjs'), ...args])

const scoring = (...more: string[]) =>
  guerdon('score', join(folder, 'data.jsonl'), '-r', 'verifier(model=judge)', '--json', ...more)

test('a dry run says what it would cost, a budget stops, the same command goes on and pays nothing twice', async () => {
  const dry = await scoring('--dry-run')
  expect(dry.notes).toMatch(/dry run: about 6 calls \(0 answered already\), .* tokens read, .*\$/)
  expect(server.count).toBe(0)
  const short = await scoring('--max-calls', '4', '--batch', '2', '--concurrency', '1')
  expect(short.exitCode).toBe(130)
  expect(short.notes).toMatch(/stopped: the limit of 4 calls is reached/)
  expect(server.count).toBe(4)
  const rest = await scoring('--max-cost', '1')
  expect(rest.exitCode).toBe(0)
  expect(server.count).toBe(6)
  expect(rest.notes).toMatch(/model calls: 2 answers and 0 from the cache, 0 failed/)
  const summary = JSON.parse(rest.out)
  expect(JSON.stringify(summary)).toMatch(/"scored":6/)
})

test('a misspelt model, a price that is none and a budget in isolation are said at once', async () => {
  const misspelt = await guerdon('score', join(folder, 'data.jsonl'), '-r', 'verifier(model=opnai:m)')
  expect(misspelt.notes).toMatch(/there is no model "opnai:m"\. Did you mean "openai"\?/)
  expect((await scoring('--price', 'judge=cheap')).notes).toMatch(/not MODEL=INPUT\/OUTPUT/)
  expect((await scoring('--isolate', '--max-calls', '3')).notes).toMatch(
    /does not reach into isolated processes/,
  )
})

test('models are listed and tried', async () => {
  expect((await guerdon('models')).out).toMatch(/judge +openai:m@http/)
  const tried = await guerdon('models', 'try', 'judge', 'the sky?')
  expect([tried.exitCode, tried.out]).toEqual([0, 'blue'])
  const choices = await guerdon('models', 'try', 'judge', 'is it?', '--choices', 'yes,no')
  expect(choices.out).toBe('yes ["0.700","0.800"]\nno ["0.200","0.300"]')
  expect((await guerdon('models', 'try', `vllm:m`, 'x')).notes).toMatch(/does not say where the model is/)
})
