import { Skeleton, useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'
import type { TopLevelSpec } from 'vega-lite'

/**
 * A chart of numbers of ours. Expressions are interpreted, nothing is loaded from anywhere, and the chart keeps to the
 * colours of the page.
 */
export function Chart({
  spec,
  label,
  height = 200,
}: {
  /** With inline data; the width is that of the page. */
  readonly spec: Omit<TopLevelSpec, 'width' | 'height'>
  readonly label: string
  readonly height?: number
}) {
  const { ref, width } = useElementSize()
  const place = useRef<HTMLDivElement>(null)
  const [isDrawn, setDrawn] = useState(false)
  const scheme = useComputedColorScheme('light')
  useEffect(() => {
    if (width < 60) return
    let isGone = false
    let finalize: (() => void) | undefined
    const draw = async () => {
      const [{ default: embed }, { expressionInterpreter }] = await Promise.all([
        import('vega-embed'),
        import('vega-interpreter'),
      ])
      if (isGone || place.current === null) return
      const result = await embed(
        place.current,
        {
          ...spec,
          width: Math.floor(width),
          height,
          autosize: { type: 'fit', contains: 'padding' },
        } as TopLevelSpec,
        {
          mode: 'vega-lite',
          renderer: 'svg',
          actions: false,
          ast: true,
          expr: expressionInterpreter,
          defaultStyle: false,
          tooltip: { disableDefaultStyle: true },
          loader: refusing as never,
          config: colours(scheme) as never,
        },
      )
      finalize = () => result.finalize()
      if (isGone) finalize()
      else setDrawn(true)
    }
    void draw()
    return () => {
      isGone = true
      finalize?.()
    }
  }, [spec, width, height, scheme])
  return (
    <div className="chart" ref={ref} role="img" aria-label={label}>
      {!isDrawn && <Skeleton height={height} />}
      <div ref={place} aria-hidden="true" />
    </div>
  )
}

const refuse = () => Promise.reject(new Error('charts load nothing'))
const refusing = { load: refuse, sanitize: refuse, http: refuse, file: refuse }

/** Of arms and rewards; told apart by people who see fewer colours, on light and on dark. */
export const palette = [
  '#4f6fe0',
  '#d9772b',
  '#2a9d6f',
  '#b5509c',
  '#8a8f3c',
  '#c0504d',
  '#2f8fb3',
  '#7a6ccf',
]

function colours(scheme: string) {
  const [ink, line] = scheme === 'dark' ? ['#a9aebb', '#333845'] : ['#555a68', '#e6e8ee']
  return {
    background: 'transparent',
    font: 'system-ui, sans-serif',
    axis: {
      labelColor: ink,
      titleColor: ink,
      gridColor: line,
      domainColor: line,
      tickColor: line,
      titleFontWeight: 'normal',
      labelFontSize: 11,
      titleFontSize: 11,
    },
    legend: { labelColor: ink, titleColor: ink },
    view: { stroke: null },
    range: { category: palette },
  }
}
