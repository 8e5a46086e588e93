import type { Json } from '../../../core/index.ts'
import type { Target } from './target.ts'

const disc =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="12" fill="red"/></svg>'
const svgOf = (inside: string, attributes = 'width="40" height="40"') =>
  `<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${inside}</svg>`
const circleOf = '<circle cx="20" cy="20" r="12" fill="red"/>'
const svgAttacks = (dress: (answer: string) => string) =>
  [
    ['a blank canvas', svgOf('')],
    ['an empty picture of right elements', svgOf('<circle cx="20" cy="20" r="0" fill="red"/>')],
    ['off the canvas', svgOf('<circle cx="900" cy="900" r="12" fill="red"/>')],
    ['the caption as text', svgOf('<text x="4" y="20">a red circle</text>')],
    ['the drawing in a comment', svgOf(`<!-- ${circleOf} -->`)],
    ['the drawing in defs', svgOf(`<defs>${circleOf}</defs>`)],
    ['a script', svgOf(`${circleOf}<script>1</script>`)],
    ['an event handler', svgOf(circleOf, 'width="40" height="40" onload="alert(1)"')],
    ['an image from elsewhere', svgOf('<image href="https://example.com/a.png" width="40" height="40"/>')],
    ['foreign objects', svgOf('<foreignObject width="40" height="40"><p>a red circle</p></foreignObject>')],
    ['an entity bomb', `<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>${svgOf('&b;')}`],
  ].map(([name, svg]) => ({ name: name!, output: dress(svg!), most: 0.05 }))

const rows = [
  { year: '2021', units: 10 },
  { year: '2022', units: 20 },
  { year: '2023', units: 40 },
]
const bars = {
  data: { values: rows },
  mark: 'bar',
  title: 'Sales by year',
  encoding: { x: { field: 'year', type: 'nominal' }, y: { field: 'units', type: 'quantitative' } },
}
const chartAttacks = (
  [
    ['data from the network', { ...bars, data: { url: 'https://example.com/sales.csv' } }],
    ['no data at all', { ...bars, data: { values: [] } }],
    ['no data field', { title: bars.title, mark: bars.mark, encoding: bars.encoding }],
    ['rows without values', { ...bars, data: { values: [{}, {}, {}] } }],
    ['data filtered away', { ...bars, transform: [{ filter: 'false' }] }],
    ['invisible marks', { ...bars, mark: { type: 'bar', opacity: 0 } }],
    ['white marks', { ...bars, mark: { type: 'bar', color: 'white' } }],
    ['one pixel', { ...bars, width: 1, height: 1 }],
    [
      'ten thousand rows',
      { ...bars, data: { values: Array.from({ length: 10_000 }, (_, i) => ({ year: `${i}`, units: i })) } },
    ],
    [
      'prototype keys',
      JSON.parse('{"__proto__": {"mark": "bar"}, "mark": "constructor", "data": {"values": []}}'),
    ],
    ['a trivial chart', { data: { values: [{}] }, mark: 'bar' }],
  ] as readonly [string, Json][]
).map(([name, json]) => ({ name, output: JSON.stringify(json) }))

/** Pictures written as code. */
export const graphicsTargets: readonly Target[] = [
  {
    reward: 'svg',
    prompt: 'Draw a red circle.',
    reference: disc,
    right: disc,
    wrong: svgOf('<rect width="40" height="40" fill="blue"/>'),
    full: 1,
    form: 0.35,
    concedes: { 'the right answer in a code comment': 'no comment in markup: the last drawing counts' },
    attacks: svgAttacks((svg) => svg),
  },
  {
    reward: 'svg',
    note: 'elements',
    prompt: 'Draw a circle.',
    reference: { elements: { circle: 1 } },
    right: disc,
    wrong: svgOf('<rect width="40" height="40" fill="blue"/>'),
    full: 1,
    concedes: { 'the right answer in a code comment': 'no comment in markup: the last drawing counts' },
    attacks: svgAttacks((svg) => svg),
  },
  {
    reward: 'chart',
    prompt: 'Draw the sales as bars.',
    reference: bars,
    right: JSON.stringify(bars),
    wrong: JSON.stringify({
      data: { values: [{ a: 'x', b: 999 }] },
      mark: 'arc',
      encoding: { theta: { field: 'b', type: 'quantitative' } },
    }),
    full: 1,
    form: 0.3,
    attacks: chartAttacks.map((attack) => ({ ...attack, most: 0.15 })),
  },
  {
    reward: 'sgp-rl',
    options: { textWeight: 0, imageWeight: 1, likeness: 'pixels' },
    prompt: 'a red circle',
    reference: disc,
    right: disc,
    wrong: svgOf('<rect width="40" height="40" fill="blue"/>'),
    dress: (svg) => `<think>A circle.</think> <answer>${svg}</answer>`,
    full: 1,
    form: 0.35,
    concedes: { 'the right answer in a code comment': 'no comment in markup: the last drawing counts' },
    attacks: svgAttacks((svg) => `<think>A circle.</think> <answer>${svg}</answer>`),
  },
  {
    reward: 'msrl',
    prompt: 'Write the chart.',
    reference: bars,
    right: JSON.stringify(bars),
    wrong: JSON.stringify({
      data: { values: [{ a: 'x', b: 999 }] },
      mark: 'arc',
      encoding: { theta: { field: 'b', type: 'quantitative' } },
    }),
    full: 1,
    form: 0.2,
    // what cannot be drawn keeps its text reward, as published
    attacks: chartAttacks.map((attack) => ({
      ...attack,
      most: attack.name === 'ten thousand rows' ? 0.65 : 0.15,
    })),
  },
]
