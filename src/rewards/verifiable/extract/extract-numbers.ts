import type { Span } from './extraction.ts'

export interface NumberListOptions {
  /** How many numbers a list has. @default 4 */
  readonly length?: number
  /** @default 'square' */
  readonly brackets?: 'square' | 'round'
  /** A leading minus or plus is part of a number. @default true */
  readonly signed?: boolean
  /** Digits after a decimal point are part of a number. @default true */
  readonly decimals?: boolean
}

/** Every bracketed list of exactly `length` numbers in text, such as `[10, 20.5, 30, 40]`, in order. */
export function extractNumberLists(
  text: string,
  { length = 4, brackets = 'square', signed = true, decimals = true }: NumberListOptions = {},
): { value: number[]; span: Span }[] {
  const number = `(${signed ? '[-+]?' : ''}\\d+${decimals ? '(?:\\.\\d+)?' : ''})`
  const [open, close] = brackets === 'square' ? ['\\[', '\\]'] : ['\\(', '\\)']
  const list = new RegExp(`${open}\\s*${Array(length).fill(number).join('\\s*,\\s*')}\\s*${close}`, 'g')
  return Array.from(text.matchAll(list), (match) => ({
    value: match.slice(1).map(Number),
    span: { start: match.index, end: match.index + match[0].length },
  }))
}
