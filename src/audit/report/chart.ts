import type { TopLevelSpec } from 'vega-lite'
import { loadVegaViews } from '../../rewards/verifiable/graphics/vega-view.ts'
import { Html, html } from './html.ts'

/**
 * A Vega-Lite specification with inline data, drawn to SVG here and now, so that the page needs no script, no
 * network and no canvas. Vega's expressions run in its interpreter, never through `eval`.
 */
export async function chart(specification: TopLevelSpec, label: string): Promise<Html> {
  const viewOf = await loadVegaViews()
  const view = viewOf({
    background: 'white',
    ...specification,
    config: {
      font: 'system-ui, sans-serif',
      axis: { labelColor: '#444', titleColor: '#444', gridColor: '#eee', titleFontWeight: 'normal' },
      view: { stroke: null },
      ...specification.config,
    },
  } as TopLevelSpec)
  try {
    const svg = new Html(await view.toSVG())
    return html`<div class="chart" role="img" aria-label="${label}">${svg}</div>`
  } finally {
    view.finalize()
  }
}
