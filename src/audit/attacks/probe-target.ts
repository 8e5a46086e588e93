import {
  type JsonObject,
  type Reward,
  Rng,
  type Sample,
  type Score,
  type Turns,
  type Variant,
} from '../../core/index.ts'
import { nonsense } from './nonsense.ts'
import type { Target } from './targets/target.ts'

/** What one output earned that deserves `most` at most. */
export interface TargetProbe {
  readonly attack: string
  readonly output: Turns
  readonly most: number
  readonly score: Score
  /** It earned more. */
  readonly isPaid: boolean
}

/** The sample that a target's output makes. */
export function targetSample(target: Target, output: Turns, changes: Partial<Sample> = {}): Sample {
  return {
    id: 'attack',
    prompt: target.prompt,
    output,
    meta: target.meta ?? {},
    ...(target.reference === undefined ? {} : { reference: target.reference }),
    ...changes,
  }
}

/** Every output that the target's own attacks and all nonsense make, but for what its reward concedes, judged. */
export async function probeTarget(reward: Reward, target: Target): Promise<TargetProbe[]> {
  const { nothing = 0, form = nothing, concedes = {} } = target
  const own = (target.attacks ?? []).map(({ name, output, most, ...changes }) => ({
    attack: name,
    most,
    output,
    changes: changes as Partial<Sample>,
  }))
  const shared = nonsense
    .filter(({ name }) => !Object.hasOwn(concedes, name))
    .flatMap(({ name, outputs, worth }) =>
      outputs(target).map((output) => ({
        attack: name,
        most: worth === 'form' ? form : nothing,
        output,
        changes: {},
      })),
    )
  const all = [...own, ...shared]
  const context = { rng: new Rng('attack'), step: 0 }
  const probes: TargetProbe[] = []
  // One at a time: what is judged together may not decide what each is worth.
  for (const { attack, most, output, changes } of all) {
    const [score] = await reward.score([targetSample(target, output, changes)], context)
    probes.push({
      attack,
      output,
      most,
      score: score!,
      isPaid: score!.value !== null && score!.value > most + 1e-9,
    })
  }
  return probes
}

/** Where the variants of a published reward part ways: an output, and what each variant pays for it. */
export interface VariantDifference {
  readonly reward: string
  readonly note?: string
  readonly attack: string
  readonly output: Turns
  readonly most: number
  readonly paid: Readonly<Record<Variant, Score>>
}

/**
 * What `released` and `paper` pay for outputs that deserve nothing, beside `guarded`: the attacks that a published
 * system is open to. `create` makes the reward of a target with the options given. Targets whose reward has no
 * variants are left out.
 */
export async function variantDifferences(
  targets: readonly Target[],
  create: (reward: string, options: JsonObject) => Reward | undefined,
): Promise<VariantDifference[]> {
  const found: VariantDifference[] = []
  for (const target of targets) {
    const probes: Partial<Record<Variant, TargetProbe[]>> = {}
    for (const variant of ['released', 'paper', 'guarded'] as const) {
      const reward = create(target.reward, { ...(target.options as JsonObject), variant })
      if (reward === undefined) break
      probes[variant] = await probeTarget(reward, target)
    }
    const { released, paper, guarded } = probes
    if (!released || !paper || !guarded) continue
    for (const [place, { attack, output, most, score }] of guarded.entries()) {
      const paid = { released: released[place]!.score, paper: paper[place]!.score, guarded: score }
      if (!released[place]!.isPaid && !paper[place]!.isPaid && !guarded[place]!.isPaid) continue
      found.push({
        reward: target.reward,
        ...(target.note === undefined ? {} : { note: target.note }),
        attack,
        output,
        most,
        paid,
      })
    }
  }
  return found
}
