// How much of the time of a rendering reward is spent outside of the renderer (drawing, and encoding the evidence).
//
//   npm run -s bench -- render [--json]
import { Resvg } from '@resvg/resvg-js'
import * as vega from 'vega'
import { expressionInterpreter } from 'vega-interpreter'
import { compile } from 'vega-lite'
import { type Json, type Reward, Rng, type Sample } from '../src/core/index.ts'
import { chart } from '../src/rewards/verifiable/graphics/chart.ts'
import { svg } from '../src/rewards/verifiable/graphics/svg.ts'
import { fastestMs, print } from './_throughput.ts'

const groups = 12
const groupSize = 8 // samples that share a reference

const rng = new Rng('bench')
const colours = ['crimson', 'gold', 'teal', 'navy', 'olive']
function drawing(): string {
  const shapes = Array.from({ length: 8 }, () => {
    const [x, y, r] = [rng.int(20, 180), rng.int(20, 180), rng.int(5, 40)]
    const paint = `fill="${rng.pick(colours)}" stroke="black" opacity="0.${rng.int(5, 10)}"`
    return rng.chance(0.5)
      ? `<circle cx="${x}" cy="${y}" r="${r}" ${paint}/>`
      : `<path d="M${x} ${y}c${r} 0 ${r} ${r} 0 ${r}s-${r} -${r} 0 -${r}z" ${paint}/>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200">${shapes.join('')}</svg>`
}
function specification(): Json {
  return {
    title: 'Sales by year',
    data: {
      values: Array.from({ length: 30 }, (_, year) => ({
        year,
        sales: rng.int(1, 100),
        kind: rng.pick(['a', 'b']),
      })),
    },
    mark: rng.pick(['bar', 'line', 'point']),
    encoding: {
      x: { field: 'year', type: 'ordinal' },
      y: { field: 'sales', type: 'quantitative' },
      color: { field: 'kind' },
    },
  }
}

function drawSvg(text: string, pixels: number): Resvg {
  const settings = { font: { loadSystemFonts: false }, background: 'white', logLevel: 'off' } as const
  return new Resvg(text, { ...settings, fitTo: { mode: 'width', value: pixels } })
}
async function drawChart(text: string): Promise<void> {
  const { spec } = compile(JSON.parse(text))
  const runtime = vega.parse(spec, {}, { ast: true } as never)
  const view = new vega.View(runtime, { renderer: 'none', expr: expressionInterpreter } as never)
  drawSvg(await view.toSVG(), 288).render().pixels
  view.finalize()
}

function cases(make: () => string): Sample[] {
  return Array.from({ length: groups }, make).flatMap((reference, group) =>
    Array.from({ length: groupSize }, (_, index) => ({
      id: `${group}-${index}`,
      prompt: 'p',
      output: make(),
      reference,
      meta: {},
    })),
  )
}

async function measure(
  name: string,
  reward: () => Reward,
  samples: Sample[],
  draw: (text: string) => Promise<void>,
) {
  const texts = [
    ...samples.map(({ output }) => output as string),
    ...new Set(samples.map(({ reference }) => reference as string)),
  ]
  const scoring = async () => {
    await reward().score(samples)
  }
  const drawing = async () => {
    for (const text of texts) await draw(text)
  }
  const total = await fastestMs(scoring)
  const inRenderer = await fastestMs(drawing)
  return {
    reward: name,
    'ms/sample': total / samples.length,
    'ms/sample in the renderer': inRenderer / samples.length,
    'share outside': Math.max(0, 1 - inRenderer / total),
  }
}

print([
  await measure(
    'svg, with evidence',
    () => svg(),
    cases(drawing),
    async (text) => {
      const image = drawSvg(text, 224).render()
      image.pixels
      image.asPng().toString('base64')
    },
  ),
  await measure(
    'svg, without evidence',
    () => svg({ evidence: false }),
    cases(drawing),
    async (text) => {
      drawSvg(text, 224).render().pixels
    },
  ),
  await measure(
    'chart, without evidence',
    () => chart({ evidence: false }),
    cases(() => JSON.stringify(specification())),
    drawChart,
  ),
])
