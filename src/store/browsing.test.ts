import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import { browsingCases } from '../../tests/browsing-cases.ts'
import { openStore } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-browsing-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0

describe('SQLite', () => browsingCases(() => openStore(join(folder, `${++count}.db`))))
