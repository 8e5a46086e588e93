import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Protocol } from './protocol.ts'
import type { ServeContext } from './serve-context.ts'

/** The OpenAPI 3.1 document of every endpoint, made from the schemas that the requests are read by. */
export function openApiDocument(context: ServeContext, protocols: readonly Protocol[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const protocol of protocols) {
    const name = (protocol.names?.(context) ?? context.scoring.rewards().map((each) => each.name))[0]
    const isOwn = protocol.id === 'guerdon'
    if (name === undefined && !isOwn) continue
    for (const { method, path, summary, request, response } of protocol.endpoints?.(
      context,
      isOwn ? undefined : name,
    ) ?? []) {
      const whole = isOwn ? path : `/p/${protocol.id}/{name}${path}`
      paths[whole] = {
        ...paths[whole],
        [method.toLowerCase()]: {
          operationId: `${protocol.id}${path.replaceAll(/[^a-z0-9]+/gi, '-')}`,
          tags: [protocol.title],
          summary,
          ...(isOwn ? {} : { parameters: [nameParameter] }),
          ...(request === undefined
            ? {}
            : {
                requestBody: {
                  required: true,
                  content: { 'application/json': { schema: schemaOf(request, 'input') } },
                },
              }),
          responses: {
            200: {
              description: 'The answer',
              ...(response === undefined
                ? {}
                : { content: { 'application/json': { schema: schemaOf(response, 'output') } } }),
            },
            ...refusals,
          },
        },
      }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'guerdon', version: version(), description: 'Rewards over HTTP.' },
    security: [{}, { bearer: [] }, { apiKey: [] }],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
    paths,
  }
}

const nameParameter = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'Name of a served reward',
  schema: { type: 'string' },
}

const refusals = {
  400: { description: 'The request cannot be read' },
  401: { description: 'A token is needed' },
  413: { description: 'Too much for one request' },
  422: { description: 'A sample could not be judged, and asking again does not help' },
  429: { description: 'Too many requests; see Retry-After' },
  503: { description: 'Too much work, or a sample could not be judged now; see Retry-After' },
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
