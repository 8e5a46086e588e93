/**
 * A text in which thoughts are blanked out, so that offsets stay what they were: every `<think>...</think>`, all that
 * stands before a `</think>` that closes nothing (the opening tag is often part of the prompt), and all that follows a
 * `<think>` that is never closed. An answer that is only thought of is not given.
 */
export function withoutThoughts(text: string): string {
  if (!text.includes('think>')) return text
  let shown = ''
  let from = 0
  let inThought = false
  for (const { 0: mark, index } of text.matchAll(/<\/?think>/g)) {
    if (mark === '<think>') {
      if (!inThought) shown += text.slice(from, index)
    } else {
      const end = index + mark.length
      shown = inThought ? shown + ' '.repeat(end - shown.length) : ' '.repeat(end)
      from = end
    }
    inThought = mark === '<think>'
  }
  return shown + (inThought ? ' '.repeat(text.length - shown.length) : text.slice(from))
}

/** A text in which the comments of markup and of code are blanked out, so that offsets stay what they were. */
export function withoutComments(text: string): string {
  return blanked(withoutMarkupComments(text), '/*', '*/')
}

export function withoutMarkupComments(text: string): string {
  return blanked(text, '<!--', '-->')
}

function blanked(text: string, open: string, close: string): string {
  let shown = ''
  let from = 0
  for (let start = text.indexOf(open); start >= 0; start = text.indexOf(open, from)) {
    const end = text.indexOf(close, start + open.length)
    if (end < 0) break
    shown += text.slice(from, start) + ' '.repeat(end + close.length - start)
    from = end + close.length
  }
  return shown + text.slice(from)
}

/** Whether a text shows nothing: white space, control characters and characters that are never drawn. */
export function isBlank(text: string): boolean {
  return !/[^\s\p{Default_Ignorable_Code_Point}\p{Cc}]/u.test(text)
}
