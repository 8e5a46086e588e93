import { afterAll, beforeAll, expect, test } from 'vitest'
import { environmentServer } from '../../../tests/environment-server.ts'
import type { RunningServer } from '../server.ts'
import { sandboxFusion } from './sandbox-fusion.ts'

let server: RunningServer
beforeAll(async () => {
  server = await environmentServer({ protocols: [sandboxFusion] })
})
afterAll(async () => {
  await server.close()
})

async function run(code: string, more: object = {}): Promise<{ status: number; body: any }> {
  const response = await fetch(`${server.url}/p/sandbox-fusion/javascript/run_code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      compile_timeout: 10,
      run_timeout: 5,
      code,
      stdin: '2 3\n4',
      memory_limit_MB: 64,
      language: 'nodejs',
      files: {},
      fetch_files: [],
      ...more,
    }),
  })
  return { status: response.status, body: await response.json() }
}

test('programs read standard input and write standard output', async () => {
  const { status, body } = await run(
    "const [a, b, c] = require('fs').readFileSync(0, 'utf8').split(/\\s+/).map(Number); process.stdout.write('sum '); console.log(a + b + c)",
  )
  expect(status).toBe(200)
  expect(body).toMatchObject({
    status: 'Success',
    compile_result: null,
    run_result: { status: 'Finished', return_code: 0, stdout: 'sum 9\n', stderr: '' },
  })
  expect(
    (await run('let l; while ((l = readline()) !== null) process.stdout.write(l + ";")')).body.run_result
      .stdout,
  ).toBe('2 3;4;\n')
})

test('what throws, never ends or asks for files has failed', async () => {
  expect((await run('throw new TypeError("no")')).body).toMatchObject({
    status: 'Failed',
    run_result: { return_code: 1, stderr: 'TypeError: no\n' },
  })
  expect((await run('for (;;) {}', { run_timeout: 0.3 })).body).toMatchObject({
    status: 'Failed',
    run_result: { status: 'TimeLimitExceeded', return_code: null },
  })
  expect((await run("require('fs').readFileSync('/etc/passwd')")).body.run_result.stderr).toContain(
    'no files',
  )
})

test('other languages and files are refused, with words', async () => {
  const python = await run('print(1)', { language: 'python' })
  expect(python.status).toBe(400)
  expect(JSON.stringify(python.body)).toContain('Only JavaScript')
  expect((await run('1', { files: { 'a.txt': 'x' } })).status).toBe(400)
})
