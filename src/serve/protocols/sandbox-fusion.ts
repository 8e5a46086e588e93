import { z } from 'zod'
import { runInSandbox, type SandboxRun } from '../../rewards/verifiable/code/sandbox.ts'
import { decoded } from '../json-body.ts'
import { defineProtocol } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'

const request = z.looseObject({
  code: z.string().max(1_000_000),
  language: z.string(),
  stdin: z.string().max(10_000_000).nullish(),
  run_timeout: z.number().positive().nullish().describe('Seconds; at most 10'),
  memory_limit_MB: z.number().nullish().describe('At most 256; not positive = 64'),
  files: z.record(z.string(), z.unknown()).nullish(),
  fetch_files: z.array(z.unknown()).nullish(),
})

const languages = new Set(['nodejs', 'javascript', 'js'])
const longestSeconds = 10
const largestMegabytes = 256

/**
 * `POST /run_code` of Sandbox Fusion, verl's `reward.sandbox_fusion.url`: runs JavaScript in the QuickJS sandbox, with
 * standard input as `require('fs').readFileSync(0)` or `readline()`. Any other language is refused with 400: nothing here
 * runs it, and a failed test case would read as the policy's mistake. The shape of answers follows the service's
 * documentation and was not compared with a running one (*unverified*).
 */
export const sandboxFusion = defineProtocol({
  id: 'sandbox-fusion',
  title: 'Sandbox Fusion, JavaScript only',
  names: () => ['javascript'],
  endpoints: () => [
    {
      method: 'POST',
      path: '/run_code',
      summary: 'Runs JavaScript in a sandbox (Sandbox Fusion)',
      request,
      answer: async (asked) => {
        const body = decoded(request, asked.body)
        if (!languages.has(body.language.toLowerCase()))
          throw new RequestProblem(
            400,
            'unsupported-language',
            `"${body.language.slice(0, 40)}" is not run here.`,
            {
              field: 'language',
              fix: 'Only JavaScript is ("nodejs"). Use Sandbox Fusion itself for other languages.',
            },
          )
        if (Object.keys(body.files ?? {}).length > 0 || (body.fetch_files ?? []).length > 0)
          throw new RequestProblem(400, 'no-files', 'programs get no files here.', { field: 'files' })
        const started = performance.now()
        const megabytes = body.memory_limit_MB && body.memory_limit_MB > 0 ? body.memory_limit_MB : 64
        const run = await runInSandbox(
          [before, `(function (require, readline, process, console) {${body.code}\n})(...__given)`, after],
          {
            timeMs: Math.min(longestSeconds, body.run_timeout ?? longestSeconds) * 1000,
            memoryBytes: Math.min(largestMegabytes, megabytes) * 2 ** 20,
            consoleCharacters: 1_000_000,
            globals: { __stdin: body.stdin ?? '' },
          },
          asked.signal,
        )
        return { body: answerOf(run, (performance.now() - started) / 1000) }
      },
    },
  ],
  setup: ({ withSecret }) => [`reward.sandbox_fusion.url=${withSecret}/run_code`],
})

/**
 * What programs of Node find, as far as tests on standard input and output need it; they are given to the program as
 * parameters, since the sandbox's own globals cannot be replaced.
 */
const before = `
const __given = (() => {
  const input = __stdin
  const inner = require
  const outer = console
  const files = {
    readFileSync: (file) => {
      if (file === 0 || file === '/dev/stdin') return input
      throw new Error('there are no files here')
    },
  }
  const lines = input.split('\\n')
  let at = 0
  let pending = ''
  globalThis.__flush = () => {
    if (pending !== '') outer.log(pending)
    pending = ''
  }
  const log = (...values) => {
    const held = pending
    pending = ''
    if (held === '') outer.log(...values)
    else if (values.length === 0) outer.log(held)
    else if (Object(values[0]) !== values[0]) outer.log(held + String(values[0]), ...values.slice(1))
    else outer.log(held, ...values)
  }
  const write = (text) => {
    const parts = (pending + String(text)).split('\\n')
    pending = parts.pop()
    for (const part of parts) outer.log(part)
    return true
  }
  return [
    (name) => (name === 'fs' || name === 'node:fs' ? files : inner(name)),
    () => (at < lines.length ? lines[at++] : null),
    { argv: ['node', 'main.js'], env: {}, stdout: { write } },
    { log, info: log, debug: log, error: outer.error, warn: outer.warn, assert: outer.assert },
  ]
})()`
const after = '__flush()'

function answerOf(run: SandboxRun, seconds: number): object {
  const lines = (levels: (level: string) => boolean) =>
    run.console.filter(({ level }) => levels(level)).map(({ text }) => `${text}\n`)
  const isError = (level: string) => level === 'error' || level === 'warn'
  const errors = lines(isError)
  if (run.error !== undefined) errors.push(`${run.error.name}: ${run.error.message}\n`)
  if (run.status === 'memory' || run.status === 'stack') errors.push(`the ${run.status} limit was hit\n`)
  const hasRun = run.status === 'ok'
  return {
    status: hasRun ? 'Success' : 'Failed',
    message: '',
    compile_result: null,
    run_result: {
      status: run.status === 'timeout' ? 'TimeLimitExceeded' : 'Finished',
      execution_time: seconds,
      return_code: run.status === 'timeout' ? null : hasRun ? 0 : 1,
      stdout: lines((level) => !isError(level)).join(''),
      stderr: errors.join(''),
    },
    executor_pod_name: null,
    files: {},
  }
}
