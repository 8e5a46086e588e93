import { ratio } from './binary-record.ts'

export interface AmberKnowledge {
  /** Object -> words accepted for it. Keys and words are the vocabulary; all other nouns are left out of account. */
  readonly associations: Readonly<Record<string, readonly string[]>>
  /** Words that neither cover nor hallucinate anything. */
  readonly safeWords: ReadonlySet<string>
  /**
   * Whether two words mean nearly the same: the released script asks spaCy's word vectors for a similarity above 0.8.
   * @default equality
   */
  readonly isSimilar?: (word: string, other: string) => boolean
}

export interface AmberResponse {
  /** Nouns of the response, lemmatised, in order, repeats kept. */
  readonly nouns: readonly string[]
  /** Objects in the image. */
  readonly truth: readonly string[]
  /** Objects that people imagine in it. */
  readonly hallu: readonly string[]
}

/** Sums over a corpus. */
export interface AmberCounts {
  /** Nouns of the vocabulary, and those among them that are hallucinated. */
  readonly nouns: number
  readonly hallucinated: number
  readonly truthObjects: number
  readonly covered: number
  readonly halluObjects: number
  readonly hit: number
  readonly responses: number
  readonly faultyResponses: number
}

export interface Amber extends AmberCounts {
  /** Hallucinated nouns / nouns (lower is better). All four are in [0, 1], null where there is nothing to divide by. */
  readonly chair: number | null
  /** Covered objects / objects (higher is better). */
  readonly cover: number | null
  /** Responses with a hallucinated noun / responses (lower is better). */
  readonly hal: number | null
  /** Imagined objects named / imagined objects (lower is better), as the script has it; the paper may divide otherwise. */
  readonly cog: number | null
}

/**
 * AMBER's generative part, pooled over all responses.
 *
 * @source Wang et al. 2023, arXiv 2311.07397, and its inference.py
 */
export function amber(responses: readonly AmberResponse[], knowledge: AmberKnowledge): Amber {
  const vocabulary = new Set(Object.entries(knowledge.associations).flat(2))
  const counts = {
    nouns: 0,
    hallucinated: 0,
    truthObjects: 0,
    covered: 0,
    halluObjects: 0,
    hit: 0,
    responses: responses.length,
    faultyResponses: 0,
  }
  for (const { nouns, truth, hallu } of responses) {
    const known = nouns.filter((noun) => vocabulary.has(noun))
    const read = readNouns(known, truth, hallu, knowledge)
    counts.nouns += known.length
    counts.hallucinated += read.hallucinated
    counts.truthObjects += truth.length
    counts.covered += read.covered.size
    counts.halluObjects += hallu.length
    counts.hit += read.hit.size
    if (read.hallucinated > 0) counts.faultyResponses++
  }
  return {
    ...counts,
    chair: ratio(counts.hallucinated, counts.nouns),
    cover: ratio(counts.covered, counts.truthObjects),
    hal: ratio(counts.faultyResponses, counts.responses),
    cog: ratio(counts.hit, counts.halluObjects),
  }
}

function readNouns(
  nouns: readonly string[],
  truth: readonly string[],
  hallu: readonly string[],
  { associations, safeWords, isSimilar = (word, other) => word === other }: AmberKnowledge,
) {
  const wordsOf = (object: string) => [object, ...(associations[object] ?? [])]
  const indexWith = (objects: readonly string[], accepts: (word: string) => boolean) =>
    objects.findIndex((object) => wordsOf(object).some(accepts))
  const covered = new Set<number>()
  const hit = new Set<number>()
  let hallucinated = 0
  for (const noun of nouns) {
    if (safeWords.has(noun)) continue
    const isNoun = (word: string) => word === noun
    const isLikeNoun = (word: string) => isSimilar(noun, word)
    const exact = indexWith(truth, isNoun)
    if (exact >= 0) {
      covered.add(exact)
      continue
    }
    const exactHit = indexWith(hallu, isNoun)
    const anyHit = exactHit >= 0 ? exactHit : indexWith(hallu, isLikeNoun)
    if (anyHit >= 0) hit.add(anyHit)
    const similar = indexWith(truth, isLikeNoun)
    if (similar >= 0) covered.add(similar)
    else hallucinated++
  }
  return { covered, hit, hallucinated }
}

/** The four numbers as the released script prints them: percent to one decimal, over n + 0.001 (so 1/3 responses print 33.4 for hal). */
export function amberPrinted(counts: AmberCounts): {
  readonly chair: number
  readonly cover: number
  readonly hal: number
  readonly cog: number
} {
  // The script counts the responses without hallucination and subtracts their share.
  const clean = counts.responses - counts.faultyResponses
  return {
    chair: percent(counts.hallucinated / (counts.nouns + 0.001)),
    cover: percent(counts.covered / (counts.truthObjects + 0.001)),
    hal: percent(1 - clean / (counts.responses + 0.001)),
    cog: percent(counts.hit / (counts.halluObjects + 0.001)),
  }
}

const percent = (share: number) => Math.round(share * 1000) / 10

/** What the discriminative part prints, in percent to one decimal. */
export interface AmberDiscriminative {
  readonly accuracy: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/**
 * AMBER's discriminative part for one group of questions. The positive class is "No": only the answers "Yes" and "No",
 * to the letter, count; a truth other than "yes" is no. F1 comes from precision and recall as printed.
 *
 * @param group  `existence` divides by a little more (1e-3 instead of 1e-4), as the script does
 */
export function amberDiscriminative(
  answers: readonly string[],
  truths: readonly string[],
  group: 'existence' | 'other' = 'other',
): AmberDiscriminative {
  if (answers.length !== truths.length)
    throw new RangeError(`${answers.length} answers for ${truths.length} truths`)
  let [correct, answeredNo, rightNo, trulyNo] = [0, 0, 0, 0]
  answers.forEach((answer, index) => {
    const isYes = truths[index] === 'yes'
    if (!isYes) trulyNo++
    if (answer === 'No') answeredNo++
    if (answer === 'No' && !isYes) rightNo++
    if (answer === (isYes ? 'Yes' : 'No')) correct++
  })
  const precision = percent(rightNo / (answeredNo + 0.001))
  const recall = percent(rightNo / (trulyNo + 0.001))
  const [p, r] = [precision / 100, recall / 100]
  return {
    accuracy: percent(correct / (answers.length + 0.001)),
    precision,
    recall,
    f1: percent((2 * p * r) / (p + r + (group === 'existence' ? 1e-3 : 1e-4))),
  }
}

/** (100 - CHAIR + F1) / 2, both in percent. */
export function amberScore({ chair, f1 }: { readonly chair: number; readonly f1: number }): number {
  return (100 - chair + f1) / 2
}
