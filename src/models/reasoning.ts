/**
 * A text without what the model thought before it: `<think>...</think>` at its beginning, also where the template has
 * said the opening tag already, or where the answer was cut off before the closing one.
 */
export function withoutReasoning(text: string): { readonly text: string; readonly reasoning?: string } {
  const opening = /^\s*<think>/.exec(text)
  const start = opening?.[0].length ?? 0
  const end = text.indexOf('</think>', start)
  if (end < 0) return opening === null ? { text } : { text: '', reasoning: text.slice(start).trim() }
  if (opening === null && text.slice(0, end).includes('<think>')) return { text }
  return { text: text.slice(end + '</think>'.length).trimStart(), reasoning: text.slice(start, end).trim() }
}
