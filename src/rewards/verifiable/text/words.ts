/** Words between white space, empty for a blank text. */
export function words(text: string): string[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : trimmed.split(/\s+/)
}

/** Every run of `size` items, joined by a blank, in order; none when there are fewer items. */
export function ngrams(items: readonly string[], size: number): string[] {
  const grams: string[] = []
  for (let start = 0; start + size <= items.length; start++)
    grams.push(size === 1 ? items[start]! : items.slice(start, start + size).join(' '))
  return grams
}
