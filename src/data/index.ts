export type { Convention } from './conventions/convention.ts'
export { conventions } from './conventions.ts'
export { type HubFile, type HubOptions, hubFiles } from './hub.ts'
export {
  type Image,
  type ImageFormat,
  type ImageLimits,
  type ImageOptions,
  imageDataUrl,
  imageFormats,
  loadImage,
  probeImage,
} from './images.ts'
export { byteRanges } from './lines.ts'
export type { FieldMapping } from './mapping.ts'
export { type PreferenceLayout, preferenceLayouts, writePreferences } from './preference-files.ts'
export * from './read.ts'
export { type RecordBatch, type RecordOptions, readRecords } from './records.ts'
export { type Rollout, type RolloutLayout, rolloutLayouts, writeRollouts } from './rollout-files.ts'
export {
  type TrainingLayout,
  type TrainingRows,
  trainingLayouts,
  writeTrainingRows,
} from './training-files.ts'
export { sampleRecord, type WriteOptions, writeRecords, writeSamples } from './write.ts'
