import { GuerdonError, type Rng } from '../../core/index.ts'
import { changedSegment } from '../../rewards/verifiable/text/changed-segment.ts'
import { type CaptionStyle, captionOf } from '../../worlds/scenes/caption.ts'
import { type Corruption, type CorruptionType, corruptCaption } from '../../worlds/scenes/injector.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import type { SceneWorld } from '../../worlds/scenes/scene-world.ts'

/** A picture and a description of it in which one phrase is wrong. */
export interface CorruptedCaption {
  readonly scene: Scene
  /** Before the change: true. */
  readonly caption: string
  readonly corruption: Corruption
  /** The words that are wrong. */
  readonly wrong: string
}

/**
 * One of the given types of error, all as often, in a description of one of the styles: scenes and captions are drawn
 * until they allow it. Throws `no-such-error` when a thousand in a row do not.
 */
export function drawCorrupted(
  world: SceneWorld,
  rng: Rng,
  { styles, types }: { readonly styles: readonly CaptionStyle[]; readonly types: readonly CorruptionType[] },
): CorruptedCaption {
  const type = rng.pick(types)
  for (let attempt = 0; attempt < 1000; attempt++) {
    const scene = world.scene(rng.int(0, 2 ** 31))
    const caption = captionOf(scene, rng, { style: rng.pick(styles) })
    const corruption = corruptCaption(scene, caption, type, rng)
    if (corruption === undefined) continue
    const wrong = changedSegment(corruption.originalPhrase, corruption.changedPhrase).join(' ')
    if (wrong !== '') return { scene, caption, corruption, wrong }
  }
  throw new GuerdonError(
    'no-such-error',
    `descriptions of the styles ${styles.join(', ')} have no ${type}.`,
    {
      fix: 'Add a style that tells of it, such as "paragraph".',
    },
  )
}
