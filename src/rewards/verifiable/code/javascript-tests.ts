import { z } from 'zod'
import {
  defineReward,
  GuerdonError,
  isObject,
  type Json,
  type Score,
  textOf,
  unscored,
} from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { codeOf, javascriptSyntax } from './javascript-source.ts'
import { runInSandbox, type SandboxOptions, type SandboxRun } from './sandbox.ts'

/** The tests that an answer must pass. */
export interface JavaScriptTests {
  /** A script that runs after the answer's: it throws, or calls console.assert or `assert`, and may end in a promise. */
  readonly tests: string
  /** What the answer may leave out: the head of the function that it goes on writing. */
  readonly declaration?: string
}

const limits = {
  timeMs: z.int().min(10).max(60_000).default(2000).describe('wall-clock limit of one run'),
  memoryBytes: z
    .int()
    .min(1 << 20)
    .max(1 << 30)
    .default(64 << 20),
  stackBytes: z
    .int()
    .min(64 << 10)
    .max(1 << 20)
    .default(256 << 10),
}

const example = (output: string, reference: Json) => ({
  id: 'javascript-tests',
  prompt: 'Write a JavaScript function double(x).',
  output,
  reference,
  meta: {},
})
const doubles = 'console.assert(double(2) === 4); console.assert(double(0) === 0)'

export const javascriptTests = defineRewardType({
  name: 'javascript-tests',
  summary: 'Runs the JavaScript of the output against the tests in the reference, in a sandbox.',
  options: z.strictObject({
    credit: z
      .enum(['all', 'share'])
      .default('all')
      .describe(
        'all: 1 when every test holds, else 0; share: the share of assertions that hold, where all were made',
      ),
    which: z.enum(['first', 'last']).default('first').describe('which code fence of the output'),
    ...limits,
  }),
  create: (options) => {
    const { credit, which, timeMs, memoryBytes, stackBytes } = options
    return defineReward({
      name: 'javascript-tests',
      needs: ['reference'],
      params: options,
      judge: async ({ output, reference }, { signal }) => {
        const tests = testsOf(reference!)
        if (tests === undefined)
          return unscored(
            'bad-input',
            'the reference is neither the text of tests nor { tests, declaration? }',
          )
        const testSyntax = await javascriptSyntax(tests.tests, 'script')
        if (testSyntax.error !== undefined)
          return unscored('bad-input', `the tests are no JavaScript: ${testSyntax.error}`)
        if (testSyntax.statements === 0) return unscored('bad-input', 'the reference holds no tests')
        const source = codeOf(textOf(output), which)
        if (source.trim() === '') return { value: 0, rationale: 'there is no code' }
        const sandbox: SandboxOptions = {
          timeMs,
          memoryBytes,
          stackBytes,
          lockBuiltins: true,
          resultCharacters: 1000,
        }
        try {
          const program = await completed(source, tests.declaration)
          return scoreOf(await runInSandbox([program, inOwnScope(tests.tests)], sandbox, signal), credit)
        } catch (error) {
          if (signal?.aborted) return unscored('cancelled', 'cancelled while the tests ran')
          if (error instanceof GuerdonError) return unscored('outage', error.message)
          throw error
        }
      },
    })
  },
  examples: [
    { sample: example('```js\nconst double = (x) => 2 * x\n```', doubles), value: 1 },
    { sample: example('const double = (x) => x + 1', doubles), value: 0 },
    { sample: example('const double = (x) => x * x', 'assert(double(2) === 4)'), value: 1 },
    {
      sample: example('  return 2 * x\n}', { tests: doubles, declaration: 'function double(x) {\n' }),
      value: 1,
    },
    { sample: example('function double(x) { for (;;); }', doubles), options: { timeMs: 50 }, value: 0 },
    {
      sample: example(
        'const double = (x) => x + 2',
        'console.assert(double(2) === 4); console.assert(double(0) === 0)',
      ),
      options: { credit: 'share' },
      value: 0.5,
    },
    { sample: example('const double = (x) => 2 * x', ''), value: null },
  ],
})

function testsOf(reference: Json): JavaScriptTests | undefined {
  if (typeof reference === 'string') return { tests: reference }
  if (!isObject(reference) || typeof reference.tests !== 'string') return undefined
  const { tests, declaration } = reference
  if (declaration === undefined) return { tests }
  return typeof declaration === 'string' ? { tests, declaration } : undefined
}

/** Tests see the real `assert` and `console` whatever the answer calls so, and may declare them anew, as scripts for Node do. */
function inOwnScope(tests: string): string {
  return `{ const assert = require('assert'); const console = require('console'); {\n${tests}\n} }`
}

/** The answer with the declaration in front, unless it is a program by itself that speaks of the declared name. */
async function completed(source: string, declaration: string | undefined): Promise<string> {
  if (declaration === undefined) return source
  const declared = [
    ...declaration.matchAll(/\b(?:function\s*\*?|const|let|var|class)\s*([\p{L}\p{N}_$]+)/gu),
  ].at(-1)?.[1]
  const isWhole =
    declared !== undefined &&
    source.includes(declared) &&
    (await javascriptSyntax(source, 'script')).statements
  return isWhole ? source : `${declaration}\n${source}`
}

function scoreOf({ status, error, assertions, tampered }: SandboxRun, credit: 'all' | 'share'): Score {
  const { passed, failed, failures } = assertions
  const parts = { passed, failed }
  const lost = (rationale: string): Score => ({ value: 0, parts, rationale })
  if (tampered !== undefined) return lost(`the code replaced the built-in "${tampered}"`)
  switch (status) {
    case 'timeout':
      return lost('the time limit was reached')
    case 'memory':
      return lost('the memory limit was reached')
    case 'stack':
      return lost('the stack overflowed')
    case 'unresolved':
      return lost("the tests' promise never settled")
    case 'error':
      return lost(`${error!.name}: ${error!.message}`)
    case 'ok': {
      if (failed === 0) return { value: 1, parts }
      const rationale = failures.join('; ')
      return { value: credit === 'all' ? 0 : passed / (passed + failed), parts, rationale }
    }
  }
}
