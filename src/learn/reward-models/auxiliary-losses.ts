import { type Array as JaxArray, nn, numpy as np } from '@jax-js/jax'
import { maskedAverage, targetLogp } from '../../nets/cross-entropy.ts'
import { type Decoder, decoderLogits } from '../../nets/decoder.ts'
import type { VisionLanguage } from '../../nets/vision-language.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import { contrastPlace, goalContrastLoss, positivePlaces, statesAt } from '../objectives/goal-contrast.ts'
import type { DrawnBatch } from './reward-batches.ts'
import type { AuxiliaryLoss } from './reward-loss.ts'

/**
 * The next token of each answer is predicted too [nats per token]: what is learned of the language keeps the trunk from
 * learning the answers by heart.
 */
export function likelihoodAuxiliary(weight = 0.1): AuxiliaryLoss {
  return {
    name: 'likelihood',
    weight,
    given: ({ readings, length }) => {
      const mask = new Float32Array(readings.length * (length - 1))
      readings.forEach(({ tokens, start }, row) => {
        mask.fill(1, row * (length - 1) + Math.max(0, start - 1), row * (length - 1) + tokens.length - 1)
      })
      return { mask: tensor(mask, [readings.length, length - 1]) }
    },
    loss: ({ parameters, config, hidden, tokens, given }) => {
      const decoder = (
        config.trunk.kind === 'vision-language'
          ? (parameters.trunk as VisionLanguage<JaxArray>).decoder
          : parameters.trunk
      ) as Decoder<JaxArray>
      const length = tokens.shape[1]!
      const logits = decoderLogits(decoder, hidden.slice([], [0, length - 1]))
      return np.negative(maskedAverage(targetLogp(logits, tokens.slice([], [1, length])), given.mask))
    },
  }
}

export interface GoalContrastOptions {
  /** @default 0.5 */
  readonly beta?: number
  /** Draws of sources and goals in each answer. @default 16 */
  readonly draws?: number
  /** Comparisons of a batch that are contrasted. @default 8 */
  readonly pairs?: number
}

/**
 * Goal-conditioned contrast (arXiv 2407.13887): hidden states early in a preferred answer are near those later in it, and
 * far from those of the other answer. Places are counted from the end of the answer, its end token included.
 */
export function goalContrastAuxiliary({
  beta = 0.5,
  draws = 16,
  pairs: most = 8,
}: GoalContrastOptions = {}): AuxiliaryLoss {
  return {
    name: 'goal contrast',
    weight: 1,
    given: ({ readings, pairs, rng }: DrawnBatch) => {
      const own = Array.from({ length: most }, (_, index) => pairs[index % pairs.length]!)
      const answer = (row: number) => {
        const { tokens, start } = readings[row]!
        return { tokens: tokens.length - 1 - start, length: tokens.length, end: tokens.length }
      }
      const one = (row: number) => {
        const { end, ...sizes } = answer(row)
        return Array.from({ length: draws }, () => end + contrastPlace(rng.uniform(), sizes))
      }
      const places = own.map(([better, worse]) => {
        const { end, ...sizes } = answer(better)
        const couples = Array.from({ length: draws }, () => [rng.uniform(), rng.uniform()] as const)
        const { sources, goals } = positivePlaces(couples, sizes)
        return {
          sources: sources.map((place) => end + place),
          goals: goals.map((place) => end + place),
          negativeSources: one(better),
          negativeGoals: one(worse),
        }
      })
      const ints = (of: (each: (typeof places)[number]) => readonly number[]): Tensor =>
        tensor(Int32Array.from(places.flatMap(of)), [most, draws], 'int32')
      const rows = (of: 0 | 1): Tensor =>
        tensor(
          Int32Array.from(own, (pair) => pair[of]),
          [most],
          'int32',
        )
      return {
        better: rows(0),
        worse: rows(1),
        sources: ints(({ sources }) => sources),
        goals: ints(({ goals }) => goals),
        negativeSources: ints(({ negativeSources }) => negativeSources),
        negativeGoals: ints(({ negativeGoals }) => negativeGoals),
      }
    },
    loss: ({ hidden, tokens, given }) => {
      tokens.dispose()
      const count = hidden.shape[0]!
      const rowsAt = (rows: JaxArray) =>
        np.einsum('pr,rtd->ptd', nn.oneHot(rows, count).astype(np.float32), hidden.ref)
      const better = rowsAt(given.better)
      const worse = rowsAt(given.worse)
      hidden.dispose()
      const { loss, positive, negative } = goalContrastLoss(
        {
          sources: statesAt(better.ref, given.sources),
          goals: statesAt(better.ref, given.goals),
          negativeSources: statesAt(better, given.negativeSources),
          negativeGoals: statesAt(worse, given.negativeGoals),
        },
        { beta },
      )
      positive.dispose()
      negative.dispose()
      return loss
    },
  }
}
