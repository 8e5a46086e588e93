// Packs the project and uses the package as a stranger would: installed in an empty project, by command and by import.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'guerdon-package-'))
const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  })
const check = (condition, message) => {
  if (!condition) throw new Error(message)
  console.log(`ok: ${message}`)
}

try {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root }),
  )
  // The pinned Node is a development dependency of the checkout, not of the package; here it stands for the user's.
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  )
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`])
  // Without the embedded models, which are data.
  const megabytes =
    (sizeOf(join(folder, 'node_modules')) - sizeOf(join(folder, 'node_modules/guerdon/weights'))) / 1e6
  check(
    megabytes < 70,
    `installed package with its dependencies, without models, is under 70 MB: ${megabytes.toFixed(1)} MB`,
  )

  const bin = join(folder, 'node_modules/.bin/guerdon')
  check(/score/.test(run(bin, ['--help'])), 'guerdon --help names its commands')
  writeFileSync(
    join(folder, 'answers.jsonl'),
    '{"prompt":"1+1?","output":"\\\\boxed{2}","reference":"2"}\n{"prompt":"1+1?","output":"\\\\boxed{3}","reference":"2"}\n',
  )
  const scored = run(bin, ['score', 'answers.jsonl', '--reward', 'math', '--json'])
  check(/"mean":0.5/.test(scored.replaceAll(' ', '')), "guerdon score runs on a file of one's own")
  await checkPage(bin, join(folder, '.guerdon/store.db'))
  writeFileSync(
    join(folder, 'own.ts'),
    `import { defineReward, textOf } from 'guerdon'
import { math } from 'guerdon/rewards'
const polite = defineReward({ name: 'polite', judge: ({ output }) => (/please/i.test(textOf(output)) ? 1 : 0) })
const sample = { id: 'a', prompt: '1+1?', output: 'Please: \\\\boxed{2}', reference: '2', meta: {} }
for (const reward of [polite, math()]) console.log(reward.name, (await reward.score([sample]))[0]?.value)
const native = process.report.getReport().sharedObjects.filter((path) => /sharp|resvg/.test(path))
console.log('native modules loaded', native.length)
`,
  )
  const output = run(process.execPath, ['own.ts'])
  check(
    /polite 1/.test(output) && /math 1/.test(output),
    "a reward of one's own and one of ours from TypeScript",
  )
  check(/native modules loaded 0/.test(output), 'importing guerdon loads no native module')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** `guerdon ui` of the package serves its page, with the file that it names, and the run that was just scored. */
async function checkPage(bin, store) {
  const page = spawn(bin, ['ui', '--port', '0', '--no-open', '--store', store], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    let said = ''
    for await (const chunk of page.stdout) {
      said += chunk
      if (/http:\/\/\S+/.test(said)) break
    }
    const [url] = /http:\/\/\S+/.exec(said)
    const html = await (await fetch(url)).text()
    const [, script] = /src="\.\/(assets\/[^"]+\.js)"/.exec(html)
    const answers = await Promise.all([fetch(`${url}/${script}`), fetch(`${url}/v1/runs`)])
    check(
      answers.every(({ ok }) => ok) && (await answers[1].json()).length > 0,
      'guerdon ui serves its page and the run',
    )
  } finally {
    page.kill()
  }
}

function sizeOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  return stat.isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
    : stat.size
}
