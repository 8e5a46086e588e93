import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'

/** Where the API is: beside the page, whatever its path. */
export function address(path: string): string {
  return `v1/${path}`
}

/** What the server said went wrong. */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly fix: string | undefined
  constructor(status: number, code: string, message: string, fix?: string) {
    super(message)
    this.status = status
    this.code = code
    this.fix = fix
  }
}

export async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  return (await answered(path, init)).json() as Promise<Answer>
}

/** The response, when it is a good one; throws an `ApiProblem`, or `AbortError`. */
export async function answered(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    response = await fetch(address(path), init)
  } catch (cause) {
    if ((cause as Error).name === 'AbortError') throw cause
    throw new ApiProblem(0, 'unreachable', 'The server does not answer.', 'Is "guerdon ui" still running?')
  }
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as {
      error?: { code?: string; message?: string; fix?: string }
    }
    const { code = 'failed', message = response.statusText, fix } = body.error ?? {}
    throw new ApiProblem(response.status, code, message, fix)
  }
  return response
}

export function send<Answer>(path: string, body: unknown, init: RequestInit = {}): Promise<Answer> {
  return ask<Answer>(path, {
    ...init,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

export function useAnswer<Answer>(
  path: string | null,
  options: { readonly every?: number; readonly keep?: boolean } = {},
): UseQueryResult<Answer, ApiProblem> {
  return useQuery<Answer, ApiProblem>({
    queryKey: [path],
    queryFn: ({ signal }) => ask<Answer>(path!, { signal }),
    enabled: path !== null,
    refetchInterval: options.every ?? false,
    ...(options.keep ? { placeholderData: keepPreviousData as never } : {}),
  })
}

export const encode = encodeURIComponent
