import { GuerdonError, nearest } from '../../core/index.ts'
import { clientPython } from './client.ts'
import {
  environmentPython,
  msSwiftPython,
  openrlhfPython,
  trlPython,
  verifiersPython,
  verlPython,
} from './trainers.ts'

const trainers: Readonly<Record<string, { readonly title: string; readonly python: string }>> = {
  trl: { title: 'TRL', python: trlPython },
  verl: { title: 'verl', python: verlPython },
  'ms-swift': { title: 'ms-swift', python: environmentPython + msSwiftPython },
  openrlhf: { title: 'OpenRLHF', python: environmentPython + openrlhfPython },
  verifiers: { title: 'verifiers', python: verifiersPython },
}

/** The trainers that there are shims for. */
export const shimNames: readonly string[] = Object.keys(trainers)

export interface ShimOptions {
  /** Of the server. The environment variable `GUERDON_URL` wins when the file runs. @default 'http://127.0.0.1:8000' */
  readonly url?: string
  /** Name of the served reward; `GUERDON_REWARD` wins. */
  readonly reward: string
  /** verifiers: parts of the reward that become metrics. @default none */
  readonly parts?: readonly string[]
}

/**
 * One Python file, standard library only, that lets a trainer use a reward (or an environment) of a guerdon server. Throws
 * a `GuerdonError` for a trainer that there is no shim for.
 */
export function shimSource(trainer: string, options: ShimOptions): string {
  const found = Object.hasOwn(trainers, trainer) ? trainers[trainer] : undefined
  if (found === undefined) {
    const guess = nearest(trainer, shimNames)
    throw new GuerdonError('unknown-trainer', `there is no shim for "${trainer}".`, {
      fix: `${guess === undefined ? '' : `Did you mean "${guess}"? `}Shims: ${shimNames.join(', ')}.`,
    })
  }
  const { url = 'http://127.0.0.1:8000', reward, parts = [] } = options
  const values: Readonly<Record<string, string>> = {
    '@URL@': pythonText(url),
    '@REWARD@': pythonText(reward),
    '@PARTS@': partFunctions(parts),
  }
  const head = `"""Rewards of a guerdon server for ${found.title}. Written by "guerdon shim ${trainer}"; standard library only."""\n\n`
  return head + (clientPython + found.python).replace(/@(?:URL|REWARD|PARTS)@/g, (mark) => values[mark]!)
}

/** A string literal of Python, ASCII alone. */
function pythonText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u{10ffff}]/gu,
    (character) => `\\U${character.codePointAt(0)!.toString(16).padStart(8, '0')}`,
  )
}

/** A function for each part, under the part's name where that is a name in Python. */
function partFunctions(parts: readonly string[]): string {
  const names = new Set<string>()
  const functions = parts.map((part) => {
    const bare = part.replace(/\W+/g, '_')
    const isFree = /^[a-z]/.test(bare) && !reserved.has(bare) && !names.has(bare)
    const name = isFree ? bare : `part_${bare}`
    names.add(name)
    return (
      `\n\nasync def ${name}(prompt, completion, answer="", info=None, state=None):\n` +
      `    return await _part(${pythonText(part)}, prompt, completion, answer, info, state)`
    )
  })
  return `${functions.join('\n')}\n\nMETRICS = [${[...names].join(', ')}]\n`
}

/** Words that Python or the file itself use, and `reward` and its like, which verifiers copies beside a rollout's own keys. */
const reserved = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield score rubric asyncio base64 http io json ' +
    'math os random threading time uuid quote urlsplit reward info answer prompt completion timing error task metrics'
  ).split(' '),
)
