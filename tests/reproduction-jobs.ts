import type { ArmOptions } from '../src/methods/reproduce/reproduction.ts'

// Jobs of a reproduction that the tests run: one arm adds 1 to its start, the other fails at one seed.
export const prepare = async ({ seed }: { readonly seed: number }) => seed * 10
export const runArm = async ({ arm, seed, start }: ArmOptions) => {
  if (arm === 'broken' && seed === 1) throw new Error('out of luck')
  return { metrics: { quality: (arm === 'method' ? 1 : 0) + Number(start) }, samples: 8, rewardCalls: 8 }
}
