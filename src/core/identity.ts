import { hash } from 'node:crypto'
import { canonicalJson } from './json.ts'

/** The first 32 hex digits of SHA-256 over the canonical JSON of `value`: what names a thing in the store. */
export function identityOf(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex').slice(0, 32)
}
