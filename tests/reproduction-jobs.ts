import type { RunArm } from '../src/methods/reproduce/reproduction.ts'

// Jobs of reproductions that the tests run: one arm adds 1 to its start, another fails at one seed, others are best at
// the setting that their name says.
export const prepare = async ({ seed }: { readonly seed: number }) => seed * 10
export const runArm: RunArm = async ({ arm, seed, start, tuned }) => {
  if (arm === 'broken' && seed === 1) throw new Error('out of luck')
  const peak = /\d/.exec(arm)?.[0]
  const quality =
    peak === undefined ? (arm === 'method' ? 1 : 0) + Number(start ?? 0) : -Math.abs(Number(peak) - tuned!)
  return { metrics: { quality }, samples: arm === 'spender' ? 9 : 8, rewardCalls: 8 }
}
