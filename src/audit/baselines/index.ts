export { baselineRewards, likelihood } from './baseline-rewards.ts'
export { hashedWordEmbedder } from './hashed-words.ts'
export { type ScriptedJudgeOptions, scriptedJudge } from './scripted-judge.ts'
