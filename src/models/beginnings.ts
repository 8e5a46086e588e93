/** Without answers that continue another one: whatever begins with them begins with that one. */
export function beginnings(answers: readonly (readonly number[])[]): (readonly number[])[] {
  return answers.filter(
    (answer, index) =>
      !answers.some(
        (other, at) =>
          at !== index &&
          other.every((token, place) => answer[place] === token) &&
          (other.length < answer.length || at < index),
      ),
  )
}
