/** Around a letter they hint at an answer. Compared with upper-cased text. */
const keywords = [
  ...['答案', '选择', '正确', '是', '对', '认为', '应该', '觉得'],
  ...['ANSWER', 'CORRECT', 'CHOOSE', 'SELECT', 'RIGHT', 'THINK', 'BELIEVE', 'SHOULD'],
]

/**
 * The option letter that a text chooses, as VLM-R1 guesses it: letters that do not follow a letter and are followed by
 * one of `. , ? ! : ;` or the end. Of several, the one with the most hints around the *first occurrence of that letter
 * anywhere*, inside words too; the first of equals. "(B)" and "B is right" hold none.
 */
export function choiceInContext(answer: string): string | undefined {
  const text = answer.toUpperCase().replace(/\s+/g, ' ')
  const letters = text.match(/(?<![A-Z])[A-Z](?=[.,?!:;]|$)/g) ?? []
  if (letters.length <= 1) return letters[0]
  let [best, most] = [letters[0], -1]
  for (const letter of new Set(letters)) {
    const hints = hintsAt(text, text.indexOf(letter))
    if (hints > most) [best, most] = [letter, hints]
  }
  return best
}

function hintsAt(text: string, position: number): number {
  const context = text.slice(Math.max(0, position - 20), position + 20)
  const near = keywords.filter((keyword) => context.includes(keyword)).length
  const late = position > text.length * 0.7 ? 2 : 0
  const next = text[position + 1]
  return near + late + (next !== undefined && '。.!！,，'.includes(next) ? 1 : 0)
}
