import { Rng } from '../../core/index.ts'

/** Whether `key` is among the share that is held out. Depends on the key alone, so it is the same for every seed. */
export function isHeldOut(key: string, share: number): boolean {
  return new Rng(`held out/${key}`).uniform() < share
}
