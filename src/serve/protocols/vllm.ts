import { defineProtocol, type Endpoint } from '../protocol.ts'
import { classifyEndpoints } from './vllm-classify.ts'
import { scoreEndpoints } from './vllm-score.ts'

/**
 * Scores, rankings, classes and pooled values as vLLM serves them (also Jina's and Cohere's rerankers, verl's reward loop
 * and sglang's embeddings): any pointwise reward, and a process reward on `/pooling`. The query is the prompt, a document
 * is the output.
 */
export const vllm = defineProtocol({
  id: 'vllm',
  title: 'vLLM scoring, Jina and Cohere reranking',
  endpoints: (context, name): readonly Endpoint[] => [
    ...scoreEndpoints(context, name),
    ...classifyEndpoints(context, name),
  ],
  problemBody: ({ message, fix, field, status }) => ({
    error: {
      message: fix === undefined ? message : `${message} ${fix}`,
      type: typeOf(status),
      param: field ?? null,
      code: status,
    },
  }),
  setup: ({ url, name }) => [
    `base_url=${url}  model=${name}   (/score, /rerank, /v2/rerank, /classify, /v1/embeddings, /pooling)`,
  ],
})

function typeOf(status: number): string {
  if (status === 401) return 'AuthenticationError'
  if (status === 404) return 'NotFoundError'
  if (status === 429) return 'RateLimitError'
  return status < 500 ? 'BadRequestError' : 'InternalServerError'
}
