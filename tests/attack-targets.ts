import { attackTargets } from '../src/audit/attacks/targets/index.ts'
import type { Target } from '../src/audit/attacks/targets/target.ts'

export type { Target }

/** Every registered reward. Those that need nothing but the package stand in src/audit/attacks/targets, others here. */
export const targets: readonly Target[] = [...attackTargets]
