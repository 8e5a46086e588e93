import { canonicalJson, GuerdonError, isObject, type Json, messageOf } from '../../../core/index.ts'

/** The first violations of a schema by a value, none where it is valid. */
export type SchemaValidator = (value: Json) => readonly SchemaViolation[]

export interface SchemaViolation {
  /** JSON pointer into the value; empty for the value itself. */
  readonly at: string
  readonly message: string
}

export interface SchemaOptions {
  /** A misspelt keyword would let everything pass, so unknown ones are refused. @default 'refuse' */
  readonly unknownKeywords?: 'refuse' | 'ignore'
}

/**
 * Compiles a JSON Schema: draft 2020-12 unless its `$schema` names 2019-09, draft 7 or draft 6; formats are checked.
 * Nothing is ever fetched: a `$ref` must point into the schema itself. Rejects with a `GuerdonError` (`bad-schema`).
 */
export async function compileSchema(schema: Json, options: SchemaOptions = {}): Promise<SchemaValidator> {
  if (typeof schema !== 'boolean' && !isObject(schema))
    throw badSchema('a JSON Schema is an object or a boolean.')
  const strictSchema = (options.unknownKeywords ?? 'refuse') === 'refuse'
  const settings = {
    strict: false,
    strictSchema,
    allErrors: false,
    logger: false,
    ownProperties: true,
  } as const
  const ajv = await ajvFor(isObject(schema) ? schema.$schema : undefined, settings)
  if (typeof schema === 'boolean' || Object.keys(schema).every((key) => annotations.has(key)))
    throw badSchema('it says the same of every value, so that nothing is judged by it.')
  const formats = (await import('ajv-formats')).default
  formats.default(ajv)
  try {
    const validate = ajv.compile(structuredClone(schema) as object)
    return (value) => {
      if (validate(value)) return []
      return (validate.errors ?? []).map(({ instancePath, message }) => ({
        at: instancePath,
        message: message ?? 'is invalid',
      }))
    }
  } catch (error) {
    const missing = isObject(error) && typeof (error as { missingRef?: unknown }).missingRef === 'string'
    throw badSchema(
      missing
        ? `${messageOf(error)}: schemas are not fetched, a $ref must point into the schema itself.`
        : messageOf(error),
    )
  }
}

/** Keywords that restrict nothing. */
const annotations = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
  '__proto__',
])

async function ajvFor(dialect: unknown, settings: object) {
  const named = typeof dialect === 'string' ? dialect : ''
  if (/draft-0[1-5]/.test(named)) throw badSchema(`${named} is too old; draft 6 is the oldest that is read.`)
  if (/2019-09/.test(named)) return new (await import('ajv/dist/2019.js')).Ajv2019(settings)
  if (/draft-0[67]/.test(named)) {
    const { Ajv } = await import('ajv')
    const ajv = new Ajv(settings)
    if (/draft-06/.test(named)) {
      const draft6 = await import('ajv/dist/refs/json-schema-draft-06.json', { with: { type: 'json' } })
      ajv.addMetaSchema(draft6.default)
    }
    return ajv
  }
  return new (await import('ajv/dist/2020.js')).Ajv2020(settings)
}

function badSchema(what: string): GuerdonError {
  return new GuerdonError('bad-schema', what)
}

/** Compiled schemas by their content: rows of one data set tend to share a few. The oldest goes when it is full. */
export class SchemaCache {
  readonly #compiled = new Map<string, Promise<SchemaValidator>>()
  readonly #options: SchemaOptions

  constructor(options: SchemaOptions) {
    this.#options = options
  }

  get(schema: Json): Promise<SchemaValidator> {
    const key = canonicalJson(schema)
    let compiled = this.#compiled.get(key)
    if (compiled === undefined) {
      compiled = compileSchema(schema, this.#options)
      compiled.catch(() => {}) // whoever asked awaits it too
      if (this.#compiled.size >= 256) this.#compiled.delete(this.#compiled.keys().next().value!)
      this.#compiled.set(key, compiled)
    }
    return compiled
  }
}
