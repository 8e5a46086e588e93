import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'
import { GuerdonError } from '../core/index.ts'
import type { ServeApp, ServeEnv } from './protocol.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

/** Where the built page is: beside the built package, and in a checkout in the same place. */
export const builtPage: string = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/ui/' : '../ui/', import.meta.url),
)

/** In the page's HTML, in the place of the nonce of its styles. */
const noncePlace = '__NONCE__'

/**
 * The page in the browser: the files of the built page, read once, under their names. Its policy lets no script run and
 * no request leave that is not the page's own. Throws `no-page` where it has not been built.
 */
export async function uiPage(folder: string = builtPage): Promise<ServeApp> {
  const files = new Map<string, { readonly bytes: Buffer; readonly type: string }>()
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    const path = join(entry.parentPath, entry.name)
    const type = types[extname(entry.name)]
    if (entry.isFile() && type !== undefined)
      files.set(path.slice(folder.length).replaceAll('\\', '/').replace(/^\//, ''), {
        bytes: await readFile(path),
        type,
      })
  }
  const index = files.get('index.html')
  if (index === undefined)
    throw new GuerdonError('no-page', 'the page has not been built.', {
      place: { file: folder },
      fix: 'In a checkout, "npm run build:ui" builds it.',
    })
  const html = index.bytes.toString('utf8')
  const app = new Hono<ServeEnv>()
  app.get('*', (c) => {
    const name = c.req.path.replace(/^\/+/, '')
    const file = name === '' || name === 'index.html' ? undefined : files.get(name)
    if (file !== undefined)
      return c.body(new Uint8Array(file.bytes), 200, {
        'content-type': file.type,
        'x-content-type-options': 'nosniff',
        // Names of built files hold a hash of what is in them.
        'cache-control': name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      })
    if (name !== '' && name !== 'index.html') return c.text('there is nothing at this address', 404)
    const nonce = randomBytes(16).toString('base64url')
    return c.body(html.replaceAll(noncePlace, nonce), 200, {
      'content-type': types['.html']!,
      'content-security-policy': [
        "default-src 'none'",
        "script-src 'self'",
        `style-src 'self' 'nonce-${nonce}'`,
        // Charts set attributes of style; a style element of somebody else's would need the nonce.
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
  })
  return app
}
