// Defences against answers without content: a guarded verifier, and what a verifier can be trained on.
export { type ContrastReferenceOptions, contrastReference } from './contrast-reference.ts'
export { firstSentence } from './first-sentence.ts'
export {
  type TruncatedNegatives,
  truncatedNegatives,
  type VerifierExample,
  verifierExample,
} from './truncated-negatives.ts'
