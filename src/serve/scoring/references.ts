import {
  isDialogue,
  type Json,
  promptText,
  type Sample,
  type Turns,
  textOfContent,
} from '../../core/index.ts'
import { type ReadOptions, readSamples } from '../../data/index.ts'

interface Known {
  readonly reference?: Json
  readonly meta: Sample['meta']
}

/**
 * References by the text of the prompt, for trainers that send none (LLaMA-Factory) or only some. The same prompt with two
 * different references has none: nothing says which is meant.
 */
export class References {
  readonly #byPrompt = new Map<string, Known | null>()

  /** Reads a data set as `guerdon score` does. Throws a `GuerdonError` for one that cannot be read. */
  static async read(source: string, options: ReadOptions = {}): Promise<References> {
    const references = new References()
    for await (const { samples } of readSamples(source, { ...options, promptsOnly: true }))
      references.add(samples)
    return references
  }

  add(samples: readonly Sample[]): void {
    for (const { prompt, reference, meta } of samples) {
      const key = keyOf(prompt)
      const before = this.#byPrompt.get(key)
      const known = { ...(reference === undefined ? {} : { reference }), meta }
      if (before === undefined) this.#byPrompt.set(key, known)
      else if (before !== null && JSON.stringify(before.reference) !== JSON.stringify(reference))
        this.#byPrompt.set(key, null)
    }
  }

  /** Prompts with one reference. */
  get size(): number {
    let size = 0
    for (const known of this.#byPrompt.values()) if (known?.reference !== undefined) size++
    return size
  }

  /** Prompts that stand with different references, which are therefore not used. */
  get ambiguous(): number {
    let ambiguous = 0
    for (const known of this.#byPrompt.values()) if (known === null) ambiguous++
    return ambiguous
  }

  /** Samples with the references and fields of the data set; what a sample brings itself stays. */
  complete(samples: readonly Sample[]): readonly Sample[] {
    return samples.map((sample) => {
      if (sample.reference !== undefined) return sample
      const known = this.#byPrompt.get(keyOf(sample.prompt))
      if (known === undefined || known === null || known.reference === undefined) return sample
      return { ...sample, reference: known.reference, meta: { ...known.meta, ...sample.meta } }
    })
  }
}

/** What the user says last: system prompts are put in and left out by templates. */
function keyOf(prompt: Turns): string {
  const asked = isDialogue(prompt) ? prompt.findLast(({ role }) => role === 'user') : undefined
  return (asked === undefined ? promptText(prompt) : textOfContent(asked.content)).trim()
}
