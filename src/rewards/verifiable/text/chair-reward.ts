import { z } from 'zod'
import { defineReward, isObject, type Json, textOf, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { cocoLexicon, objectLexicon } from './object-lexicon.ts'
import { extractObjects, knownObjects } from './object-mentions.ts'

const example = (output: string, reference: Json) => ({
  id: 'chair',
  prompt: 'Describe the image.',
  output,
  reference,
  meta: {},
})

export const chair = defineRewardType({
  name: 'chair',
  summary:
    'How faithful a caption is to the objects in the image: no object that is not there, none left out.',
  source: 'CHAIR, arXiv 1809.02156',
  options: z.strictObject({
    measure: z
      .enum(['f1', 'faithful'])
      .default('f1')
      .describe(
        'faithful: 1 - CHAIR_i, the share of mentions that are there (short captions win); f1: with recall',
      ),
    lexicon: z
      .record(z.string(), z.array(z.string()))
      .optional()
      .describe('object names and their synonyms; default: the 80 of COCO'),
  }),
  create: ({ measure, lexicon: names }) => {
    const lexicon = names === undefined ? cocoLexicon : objectLexicon(names)
    return defineReward({
      name: 'chair',
      needs: ['reference'],
      params: { measure, ...(names === undefined ? {} : { lexicon: names }) },
      judge: ({ output, reference }) => {
        const truth = truthOf(reference!)
        if (truth === undefined)
          return unscored(
            'bad-input',
            'the reference is neither a list of object names nor { objects?, captions? }',
          )
        const known = knownObjects(truth, lexicon)
        if (known.size === 0) return unscored('bad-input', 'the reference names no object')
        const text = textOf(output)
        if (text.length > 1_000_000)
          return unscored('too-large', 'the output is longer than 1,000,000 characters')
        const { mentions, tokens } = extractObjects(text, lexicon)
        const hallucinated = mentions.filter(({ object }) => !known.has(object))
        const named = new Set(mentions.map(({ object }) => object))
        const found = [...named].filter((object) => known.has(object)).length
        const parts = {
          chairI: mentions.length === 0 ? null : hallucinated.length / mentions.length,
          recall: found / known.size,
          mentions: mentions.length,
          hallucinated: hallucinated.length,
          tokens,
        }
        if (measure === 'faithful' && parts.chairI === null)
          return unscored('not-applicable', 'the caption mentions no object', { parts })
        return {
          value: measure === 'faithful' ? 1 - parts.chairI! : (2 * found) / (named.size + known.size),
          parts,
          evidence: mentions.map(({ object, start, end }) => ({
            kind: 'span' as const,
            in: 'output' as const,
            start,
            end,
            label: object,
            good: known.has(object),
          })),
        }
      },
    })
  },
  examples: [
    { sample: example('A man and his puppy.', ['person', 'dog']), value: 1 },
    { sample: example('A man with a cat.', ['person', 'dog']), value: 0.5 },
    {
      sample: example('A man with a cat. The man smiles.', ['person']),
      options: { measure: 'faithful' },
      value: 2 / 3,
    },
    { sample: example('A quiet blue sky.', ['kite']), options: { measure: 'faithful' }, value: null },
    { sample: example('A quiet blue sky.', ['kite']), value: 0 },
    {
      sample: example('A disc.', { captions: ['One circle.'] }),
      options: { lexicon: { circle: ['disc'] } },
      value: 1,
    },
    { sample: example('A man.', []), value: null },
  ],
})

function truthOf(reference: Json): { objects?: readonly string[]; captions?: readonly string[] } | undefined {
  if (isTexts(reference)) return { objects: reference }
  if (!isObject(reference)) return undefined
  const { objects, captions } = reference
  if (objects === undefined && captions === undefined) return undefined
  if ((objects !== undefined && !isTexts(objects)) || (captions !== undefined && !isTexts(captions)))
    return undefined
  return { ...(objects && { objects }), ...(captions && { captions }) }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
