export * from './benchmarks/sgp-genbench.ts'
export * from './hallucination/index.ts'
