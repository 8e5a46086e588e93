/** Words whose full stop does not end a sentence. */
const abbreviations = new Set(
  'mr mrs ms dr prof rev hon st sr jr vs etc al inc ltd co corp dept est fig vol pp ed eds approx ca cf e.g i.e u.s u.k a.m p.m ph.d jan feb mar apr jun jul aug sep sept oct nov dec mt ft gen col lt sgt capt gov sen rep'.split(
    ' ',
  ),
)

/**
 * The sentences of a text, trimmed. A sentence ends at `.`, `!` or `?` (closing quotes and brackets included) before
 * white space, but not after a known abbreviation, an initial, or an ellipsis that goes on in lower case. Line breaks
 * end no sentence, so a heading belongs to the sentence after it. A rule of thumb in the place of NLTK's trained Punkt
 * model, made for English; the full stops of other scripts (`。`, `।`, `؟`) count too.
 */
export function sentences(text: string): string[] {
  const found: string[] = []
  let start = 0
  for (const match of text.matchAll(/(?<![.!?])[.!?]+["'”’)\]*_]*(?=\s)|[。！？।؟]+["'”’」』)\]]*/gu)) {
    const end = match.index + match[0].length
    if (
      match[0].startsWith('.') &&
      !endsSentence(
        text.slice(Math.max(start, match.index - 40), match.index),
        match[0],
        text.slice(end, end + 20),
      )
    )
      continue
    found.push(text.slice(start, end).trim())
    start = end
  }
  const rest = text.slice(start).trim()
  if (rest !== '') found.push(rest)
  return found
}

function endsSentence(before: string, stop: string, after: string): boolean {
  const continues = /^\s+\p{Ll}/u.test(after)
  if (stop.startsWith('..')) return !continues
  const word = /[\p{L}\p{N}.]+$/u.exec(before)?.[0] ?? ''
  if (/^\p{Lu}$/u.test(word) && word !== 'I') return false
  return (
    !abbreviations.has(word.toLowerCase()) ||
    (/^(etc|al|inc|ltd|co|corp|a\.m|p\.m|u\.s|u\.k|jr|sr)$/i.test(word) && /^\s+\p{Lu}/u.test(after))
  )
}
