import type { Rng } from '../../core/index.ts'
import { parseVerdict, type Verdict } from '../../rewards/verifiable/text/yes-no.ts'
import { type BinaryRecord, binaryRecord } from './binary-record.ts'

export interface Pope extends BinaryRecord {
  readonly parser: 'official' | 'lenient'
  readonly parsed: readonly Verdict[]
}

/**
 * POPE: yes/no answers about objects, "yes" being the positive class; `positiveRatio` is the paper's yes ratio. A
 * model that says yes to everything has F1 0.667 at yes ratio 1, so F1 never stands alone.
 *
 * @param parser  `official` reads answers as the released script does, `lenient` as its ports do (see `VerdictParser`)
 * @source Li et al. 2023, arXiv 2305.10355
 */
export function pope(
  answers: readonly string[],
  labels: readonly Verdict[],
  { parser = 'official' }: { readonly parser?: 'official' | 'lenient' } = {},
): Pope {
  const parsed = answers.map(
    (answer) => parseVerdict(answer, parser === 'official' ? 'pope' : 'pope-lenient')!,
  )
  const isYes = (verdict: Verdict) => verdict === 'yes'
  return { parser, parsed, ...binaryRecord(parsed.map(isYes), labels.map(isYes)) }
}

export interface PopeImage {
  readonly id: string
  /** Names of the objects in the image, in the order of their annotations. */
  readonly objects: readonly string[]
}

export interface PopeQuestion {
  readonly image: string
  readonly object: string
  readonly text: string
  readonly label: Verdict
  /** Of an adversarial question: true where no co-occurring object was left and one was drawn at random. */
  readonly drawn?: boolean
}

export interface PopeOptions {
  /** How absent objects are chosen: drawn, the most frequent ones, or those that most often accompany the present one. */
  readonly split: 'random' | 'popular' | 'adversarial'
  /** What frequency and company are counted on, such as the training data of a model. @default the images asked about */
  readonly statistics?: readonly PopeImage[]
  /** Objects asked for per image that are there (and as many that are not). @default 3 */
  readonly perImage?: number
  readonly rng: Rng
}

/**
 * Builds POPE's questions. Images with at least `perImage` objects take part; each of their first `perImage` objects
 * gives a yes-question and then a no-question about an object that is not in the image and was not asked before. Where
 * no such object is left in the corpus, the no-question is left out.
 *
 * The article is right here ("an apple in the image"); the released builder as written puts "an" for every "a" of the
 * sentence before a vowel ("in the imange"). The released COCO questions are worded as here.
 */
export function popeQuestions(
  images: readonly PopeImage[],
  { split, statistics = images, perImage = 3, rng }: PopeOptions,
): PopeQuestion[] {
  const popular = byFrequency(statistics.flatMap(({ objects }) => [...new Set(objects)]))
  const companions = split === 'adversarial' ? companionsOf(statistics) : new Map<string, string[]>()
  return images
    .filter(({ objects }) => objects.length >= perImage)
    .flatMap(({ id, objects }) => {
      const random = rng.fork(id)
      const used = new Set<string>()
      const present = new Set(objects)
      return objects.slice(0, perImage).flatMap((object) => {
        used.add(object)
        const isFree = (name: string) => !present.has(name) && !used.has(name)
        const draw = () => {
          const free = popular.filter(isFree)
          return free.length === 0 ? undefined : random.pick(free)
        }
        const first = (split === 'popular' ? popular : (companions.get(object) ?? [])).find(isFree)
        const absent = split === 'random' ? draw() : (first ?? draw())
        const rows: PopeQuestion[] = [{ image: id, object, text: question(object), label: 'yes' }]
        if (absent === undefined) return rows
        used.add(absent)
        const wasDrawn = split === 'adversarial' && first === undefined
        rows.push({
          image: id,
          object: absent,
          text: question(absent),
          label: 'no',
          ...(wasDrawn && { drawn: true }),
        })
        return rows
      })
    })
}

function question(object: string): string {
  return `Is there ${/^[aeiou]/.test(object) ? 'an' : 'a'} ${object} in the image?`
}

/** Different names, the most frequent first; ties keep the order in which they were first seen. */
function byFrequency(names: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name)
}

function companionsOf(images: readonly PopeImage[]): Map<string, string[]> {
  const seen = new Map<string, string[]>()
  for (const { objects } of images) {
    const present = [...new Set(objects)]
    for (const object of present) {
      const others = seen.get(object) ?? []
      others.push(...present.filter((other) => other !== object))
      seen.set(object, others)
    }
  }
  return new Map([...seen].map(([object, others]) => [object, byFrequency(others)]))
}
