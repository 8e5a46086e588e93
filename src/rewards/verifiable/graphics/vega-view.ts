import type { View } from 'vega'
import type { TopLevelSpec } from 'vega-lite'
import { GuerdonError, type JsonObject, messageOf } from '../../../core/index.ts'

/**
 * Loads Vega and Vega-Lite, and returns a function that makes the view of a Vega-Lite specification with inline data.
 * A specification is data: expressions are interpreted, never compiled to code; nothing is loaded from files or the
 * network; nothing is logged, and an error is thrown. Whoever takes a view finalizes it. Throws `missing-renderer`.
 */
export async function loadVegaViews(): Promise<(specification: JsonObject | TopLevelSpec) => View> {
  try {
    const [{ compile }, { expressionInterpreter }, vega] = await Promise.all([
      import('vega-lite'),
      import('vega-interpreter'),
      import('vega'),
    ])
    return (specification) => {
      // Compiling changes what it is given.
      const { spec } = compile(structuredClone(specification) as never, { logger: silent as never })
      return new vega.View(vega.parse(spec, {}, { ast: true } as never), {
        renderer: 'none',
        expr: expressionInterpreter,
        loader: refusingLoader as never,
        logger: silent,
      } as never)
    }
  } catch (error) {
    throw new GuerdonError('missing-renderer', `the chart renderer cannot be loaded (${messageOf(error)}).`, {
      fix: 'Install vega, vega-lite and vega-interpreter.',
      cause: error,
    })
  }
}

const refuse = async (): Promise<never> => {
  throw new Error('the chart loads data from outside of itself')
}
const refusingLoader = { load: refuse, sanitize: refuse, http: refuse, file: refuse }

const silent = {
  level: () => silent,
  error: (message: unknown): never => {
    throw message instanceof Error ? message : new Error(String(message))
  },
  warn: () => silent,
  info: () => silent,
  debug: () => silent,
}
