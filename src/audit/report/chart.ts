import type { TopLevelSpec } from 'vega-lite'
import { Html } from './html.ts'

/**
 * A Vega-Lite specification with inline data, drawn to SVG here and now, so that the page needs no script, no
 * network and no canvas. Vega's expressions run in its interpreter, never through `eval`.
 */
export async function chart(specification: TopLevelSpec, label: string): Promise<Html> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')])
  const { spec } = compile({
    background: 'white',
    ...specification,
    config: {
      font: 'system-ui, sans-serif',
      axis: { labelColor: '#444', titleColor: '#444', gridColor: '#eee', titleFontWeight: 'normal' },
      view: { stroke: null },
      ...specification.config,
    },
  } as TopLevelSpec)
  const view = new vega.View(vega.parse(spec), { renderer: 'none', loader: offline(vega) })
  try {
    const svg = await view.toSVG()
    return new Html(
      `<div class="chart" role="img" aria-label="${label.replace(/[&"<>]/g, (c) => `&#${c.charCodeAt(0)};`)}">${svg}</div>`,
    )
  } finally {
    view.finalize()
  }
}

/** A loader that loads nothing. */
function offline(vega: typeof import('vega')) {
  const refuse = () => Promise.reject(new Error('a report loads no remote data'))
  return { ...vega.loader(), load: refuse, http: refuse, file: refuse, sanitize: refuse }
}
