export * from './benchmarks/index.ts'
export * from './hallucination/index.ts'
