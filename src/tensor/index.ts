// Differentiable functions written with jax-js, run as native graphs: `compile` one, `train` parameters by another, keep
// them in checkpoints, run trainings side by side in a pool.
export { type Checkpoint, loadCheckpoint, restored, type SaveOptions, saveCheckpoint } from './checkpoint.ts'
export { type Compiled, type CompileOptions, compile } from './compile.ts'
export {
  bucketSize,
  type CompileByShapeOptions,
  type CompiledByShape,
  compileByShape,
} from './compile-by-shape.ts'
export { release } from './crossing.ts'
export {
  type ArraysOf,
  evaluated,
  evaluatedGradient,
  type Numbers,
  type Plain,
} from './evaluated.ts'
export type { Arrays } from './leafwise.ts'
export type { DType } from './onnx.ts'
export {
  type AdamWOptions,
  adamW,
  clippedByGlobalNorm,
  globalNorm,
  movedAverage,
  type Optimiser,
  type SgdOptions,
  sgd,
  warmupCosine,
} from './optimiser.ts'
export {
  type Job,
  type JobContext,
  type JobFunction,
  type JobOutcome,
  type PoolOptions,
  runJobs,
} from './pool.ts'
export {
  type LossWithMetrics,
  openTraining,
  type StepReport,
  type TrainCheckpoint,
  type Trained,
  type Training,
  type TrainingOptions,
  type TrainOptions,
  train,
} from './train.ts'
export {
  isTensor,
  leavesOf,
  mapLeaves,
  type PathPattern,
  partitioned,
  type Tensor,
  type TensorData,
  type Tree,
  tensor,
} from './tree.ts'
