import type { Json, Reward, Variant } from '../../core/index.ts'
import { figure } from '../../stats/figure.ts'
import type { ArmResult, Criterion } from './reproduction.ts'
import type { SeedResults } from './results.ts'

/** An output that a published rule pays wrongly. */
export interface RuleAttack {
  /** Such as `an empty answer`. */
  readonly name: string
  readonly output: string
  readonly reference: Json
  readonly meta?: Readonly<Record<string, Json>>
  /** The rule, in one variant. */
  readonly reward: (variant: Extract<Variant, 'released' | 'guarded'>) => Reward
  /** The part of its score that the attack is after. @default 'accuracy' */
  readonly part?: string
  /** What each pays for it, as is known. @default 1 */
  readonly released?: number
  /** What cannot be judged is not paid. @default 0 */
  readonly guarded?: number
}

/** How many attacks the released and the guarded rule pay for as is known of them: an arm that trains nothing. */
export async function rulesPaid(attacks: readonly RuleAttack[]): Promise<ArmResult> {
  const judged = await Promise.all(
    attacks.map(async ({ name, output, reference, meta = {}, part = 'accuracy', ...attack }) => {
      const paid = async (variant: 'released' | 'guarded') => {
        const [score] = await attack
          .reward(variant)
          .score([{ id: name, prompt: '', output, reference, meta }])
        return score!.parts?.[part] ?? 0
      }
      const [released, guarded] = [await paid('released'), await paid('guarded')]
      return {
        asReleased: isNear(released, attack.released ?? 1),
        asGuarded: isNear(guarded, attack.guarded ?? 0),
        example: { prompt: name, output, note: `released ${figure(released)}, guarded ${figure(guarded)}` },
      }
    }),
  )
  return {
    metrics: {
      'fools the released rule': judged.filter(({ asReleased }) => asReleased).length,
      'judged by the guarded rule': judged.filter(({ asGuarded }) => asGuarded).length,
    },
    examples: judged.map(({ example }) => example),
    samples: 0,
    rewardCalls: 2 * attacks.length,
  }
}

const isNear = (value: number, known: number) => Math.abs(value - known) < 1e-6

/** Every attack fools the released rule, and none the guarded one. */
export function rulesCriterion(results: SeedResults, arm: string, attacks: readonly RuleAttack[]): Criterion {
  const counted = (metric: string) => Math.min(...results.values(arm, metric))
  const [released, guarded] = [counted('fools the released rule'), counted('judged by the guarded rule')]
  return {
    name: `the released rule is fooled as is known (${attacks.map(({ name }) => name).join('; ')}), the guarded one is not`,
    kind: 'claim',
    holds: released === attacks.length && guarded === attacks.length,
    measured: `${released} and ${guarded} of ${attacks.length}`,
  }
}
