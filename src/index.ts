// The API on one screen: contracts, using rewards, and where they are kept. Rewards themselves are in
// `guerdon/rewards`, published systems in `guerdon/methods`.
export * from './apply/index.ts'
export * from './core/index.ts'
export { resolveReward } from './methods/resolve.ts'
export * from './rewards/combine/index.ts'
export * from './rewards/convert.ts'
export { type IsolatedReward, type IsolateOptions, isolate } from './rewards/isolate.ts'
export { defineRewardType, type RewardExample, type RewardType } from './rewards/reward-type.ts'
export { defaultStorePath, openStore, type Store } from './store/index.ts'
