import type { Protocol } from '../protocol.ts'
import { llamaFactory } from './llama-factory.ts'
import { native } from './native.ts'
import { openrlhf } from './openrlhf.ts'
import { sandboxFusion } from './sandbox-fusion.ts'
import { vllm } from './vllm.ts'

/** Every protocol that the server speaks. */
export const protocols: readonly Protocol[] = [native, openrlhf, llamaFactory, vllm, sandboxFusion]
