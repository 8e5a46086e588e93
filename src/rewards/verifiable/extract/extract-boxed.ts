import { contentAt, type Extraction, missing, type Which } from './extraction.ts'

export interface BoxedOptions {
  /** @default 'last' */
  readonly which?: Which
}

/** Content of `\boxed{...}` (or `\fbox{...}`) with balanced braces, trimmed; an escaped brace does not count. */
export function extractBoxed(text: string, { which = 'last' }: BoxedOptions = {}): Extraction<string> {
  const start = which === 'last' ? lastBox(text) : firstBox(text)
  if (start < 0) return missing('absent')
  const end = closingBrace(text, start)
  if (end < 0) return missing('unclosed')
  return contentAt(text, { start, end }, {})
}

const boxCommands = ['\\boxed{', '\\fbox{']

function lastBox(text: string): number {
  let start = -1
  for (const command of boxCommands) {
    const at = text.lastIndexOf(command)
    if (at >= 0) start = Math.max(start, at + command.length)
  }
  return start
}

function firstBox(text: string): number {
  let start = -1
  for (const command of boxCommands) {
    const at = text.indexOf(command)
    if (at >= 0 && (start < 0 || at + command.length < start)) start = at + command.length
  }
  return start
}

/** Index of the brace that closes the one opened just before `start`, or -1. */
export function closingBrace(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x5c) i++
    else if (code === 0x7b) depth++
    else if (code === 0x7d && depth-- === 0) return i
  }
  return -1
}
