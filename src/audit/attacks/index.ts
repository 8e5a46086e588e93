// Attacks: what a judge should withstand, and how often it does.
export type { Attack, AttackFamily, AttackItem, AttackVariant, Expectation } from './attack.ts'
export { attackItems, attackItemsOfSamples, attackItemsOfTargets } from './attack-items.ts'
export type { AttackExample, AttackOutcome, Scale } from './attack-outcome.ts'
export { attacks, attacksNamed } from './attacks.ts'
export { type AuditJudgeOptions, auditJudge, type JudgeAudit, type NaturalScores } from './audit-judge.ts'
export {
  type FalsePositiveRates,
  falsePositiveRates,
  heldOutKeyTexts,
  type KeyVerdicts,
  masterKeyTexts,
} from './master-keys.ts'
export { type Nonsense, type NonsenseMaterial, nonsense } from './nonsense.ts'
export { probeTarget, type TargetProbe, type VariantDifference, variantDifferences } from './probe-target.ts'
export { attackTargets } from './targets/index.ts'
export type { Target } from './targets/target.ts'
