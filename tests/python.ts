import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'

/** The system's own first: wrappers that choose among versions take their time. */
const command = ['/usr/bin/python3', 'python3'].find((each) => {
  try {
    execFileSync(each, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

/** A test that runs Python's standard library; skipped, and said so, where there is no `python3`. */
export const testPython =
  command === undefined
    ? (name: string, _run: () => Promise<void>) => test.skip(`${name} (python3 is missing)`, () => {})
    : (name: string, run: () => Promise<void>) => test(name, run, 60_000)

/** Runs a script beside files of these names and gives what it prints as JSON. Rejects with what Python says. */
export function python(
  script: string,
  files: Readonly<Record<string, string>> = {},
  variables: Readonly<Record<string, string>> = {},
): Promise<any> {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-python-'))
  for (const [name, text] of Object.entries({ ...files, 'script.py': script }))
    writeFileSync(join(folder, name), text)
  return new Promise((resolve, reject) => {
    execFile(
      command!,
      ['-I', '-S', '-c', `import sys; sys.path.insert(0, ${JSON.stringify(folder)}); import script`],
      {
        env: { PATH: process.env.PATH, HOME: folder, ...variables } as unknown as NodeJS.ProcessEnv,
        timeout: 50_000,
        maxBuffer: 1 << 26,
      },
      (error, out, said) => (error ? reject(new Error(said || error.message)) : resolve(JSON.parse(out))),
    )
  })
}
