import { type Json, Rng, type Sample } from '../core/index.ts'

export interface ShowcaseOptions {
  readonly seed?: string | number
  /** Prompts of each kind. @default 24 */
  readonly prompts?: number
  /** Turns a scene's SVG into the bytes of an image file. @default a PNG by resvg */
  readonly rasterise?: (svg: string) => Promise<Uint8Array>
}

export const showcaseKinds = ['boxes', 'tools', 'svg', 'chart', 'maths'] as const
export type ShowcaseKind = (typeof showcaseKinds)[number]

/**
 * A small generated data set with five kinds of output, for a first look without data, network or models. Each
 * prompt has one candidate per *recipe*: right, right in another form, flawed, and adversarial (made to please a
 * careless checker). `meta.kind` names the kind, `meta.recipe` how the candidate was made, `meta.quality` in [0, 1]
 * how good it is by construction: 1 for right answers, 0 for worthless ones, between for partly right ones.
 */
export async function showcase(options: ShowcaseOptions = {}): Promise<Sample[]> {
  const { seed = 0, prompts = 24, rasterise = pngOf } = options
  const rng = new Rng(`showcase/${seed}`)
  const samples: Sample[] = []
  for (const kind of showcaseKinds) {
    for (let index = 0; index < prompts; index++) {
      const own = rng.fork(`${kind}/${index}`)
      const task = await makers[kind](own, rasterise)
      // Candidates stand in random order, so that "the first" is an honest baseline.
      own
        .fork('order')
        .shuffled(task.candidates)
        .forEach(({ recipe, quality, output }, position) => {
          samples.push({
            id: `${kind}-${index}-${position}`,
            group: `${kind}-${index}`,
            prompt: task.prompt,
            output,
            reference: task.reference,
            meta: { kind, recipe, quality, ...task.meta },
          })
        })
    }
  }
  return samples
}

interface Task {
  readonly prompt: Sample['prompt']
  readonly reference: Json
  readonly meta?: Readonly<Record<string, Json>>
  readonly candidates: readonly {
    readonly recipe: string
    readonly quality: number
    readonly output: string
  }[]
}

const makers: Record<
  ShowcaseKind,
  (rng: Rng, rasterise: (svg: string) => Promise<Uint8Array>) => Task | Promise<Task>
> = { boxes: boxesTask, tools: toolsTask, svg: svgTask, chart: chartTask, maths: mathsTask }

// --- boxes on images

const colours = {
  red: '#d93a3a',
  green: '#2f9e57',
  blue: '#3563d1',
  yellow: '#e8b923',
  purple: '#8b46c1',
} as const
type Colour = keyof typeof colours
const shapes = ['circle', 'square', 'triangle'] as const
type Shape = (typeof shapes)[number]
interface Thing {
  readonly shape: Shape
  readonly colour: Colour
  readonly box: readonly [number, number, number, number]
}
const side = 240

function scene(rng: Rng, count: number): Thing[] {
  const things: Thing[] = []
  while (things.length < count) {
    const size = rng.int(36, 72)
    const x = rng.int(4, side - size - 4)
    const y = rng.int(4, side - size - 4)
    const apart = things.every(
      ({ box }) => x + size + 6 < box[0] || box[2] + 6 < x || y + size + 6 < box[1] || box[3] + 6 < y,
    )
    if (apart)
      things.push({
        shape: rng.pick(shapes),
        colour: rng.pick(Object.keys(colours) as Colour[]),
        box: [x, y, x + size, y + size],
      })
  }
  return things
}

function svgOf(things: readonly Thing[], width = side): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${width}" viewBox="0 0 ${width} ${width}"><rect width="${width}" height="${width}" fill="#ffffff"/>${things.map(shapeElement).join('')}</svg>`
}

function shapeElement({ shape, colour, box: [x1, y1, x2, y2] }: Thing): string {
  const fill = `fill="${colours[colour]}"`
  if (shape === 'square') return `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" ${fill}/>`
  if (shape === 'circle')
    return `<circle cx="${(x1 + x2) / 2}" cy="${(y1 + y2) / 2}" r="${(x2 - x1) / 2}" ${fill}/>`
  return `<path d="M${(x1 + x2) / 2} ${y1}L${x2} ${y2}L${x1} ${y2}Z" ${fill}/>`
}

async function pngOf(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js')
  return new Resvg(svg, { font: { loadSystemFonts: false } }).render().asPng()
}

const thinking = '<think>I look at the picture from left to right.</think>\n'

async function boxesTask(rng: Rng, rasterise: (svg: string) => Promise<Uint8Array>): Promise<Task> {
  const things = scene(rng, rng.int(2, 6))
  const gold = things.map(({ shape, colour, box }) => ({ bbox_2d: [...box], label: `${colour} ${shape}` }))
  type Item = (typeof gold)[number]
  const answer = (items: readonly unknown[]) =>
    `${thinking}<answer>\n\`\`\`json\n${JSON.stringify(items)}\n\`\`\`\n</answer>`
  const shifted = (item: Item, by: number): Item => ({
    ...item,
    bbox_2d: item.bbox_2d.map((value, index) => Math.max(0, value + (index % 2 === 0 ? by : -by))),
  })
  const farBox = { bbox_2d: [0, 0, side, side], label: gold[0]!.label }
  const wrongColour = rng.pick(
    (Object.keys(colours) as Colour[]).filter((name) => name !== things[0]!.colour),
  )
  const share = (right: number) => right / gold.length
  return {
    prompt: [
      { type: 'image', image: { bytes: await rasterise(svgOf(things)), mediaType: 'image/png' } },
      {
        type: 'text',
        text: 'Find every shape. Answer inside answer tags with a JSON list of {"bbox_2d": [x1, y1, x2, y2], "label": "colour shape"}, in pixels.',
      },
    ],
    reference: gold,
    meta: { image_width: side, image_height: side },
    candidates: [
      { recipe: 'right', quality: 1, output: answer(gold) },
      { recipe: 'right: other order', quality: 1, output: answer([...gold].reverse()) },
      {
        recipe: 'flawed: boxes off by 5 px',
        quality: 0.8,
        output: answer(gold.map((item) => shifted(item, 5))),
      },
      { recipe: 'flawed: one shape missed', quality: share(gold.length - 1), output: answer(gold.slice(1)) },
      {
        recipe: 'flawed: one colour wrong',
        quality: share(gold.length - 1),
        output: answer([{ ...gold[0]!, label: `${wrongColour} ${things[0]!.shape}` }, ...gold.slice(1)]),
      },
      {
        recipe: 'adversarial: every box three times',
        quality: 0.3,
        output: answer([...gold, ...gold, ...gold]),
      },
      {
        recipe: 'adversarial: right boxes, then twelve guesses',
        quality: 0.25,
        output: answer([
          ...gold,
          ...Array.from({ length: 12 }, () => {
            const x = rng.int(0, side - 40)
            const y = rng.int(0, side - 40)
            return { bbox_2d: [x, y, x + 40, y + 40], label: rng.pick(gold).label }
          }),
        ]),
      },
      { recipe: 'adversarial: one box around everything', quality: 0.05, output: answer([farBox]) },
      { recipe: 'adversarial: empty answer', quality: 0, output: `${thinking}<answer></answer>` },
    ],
  }
}

// --- tool calls

const tools = [
  { name: 'get_weather', parameters: { city: ['Oslo', 'Lima', 'Kyoto', 'Quito'], unit: ['C', 'F'] } },
  {
    name: 'book_table',
    parameters: { restaurant: ['Nord', 'Sol', 'Hana'], people: [2, 3, 4, 6], time: ['18:00', '19:30'] },
  },
  { name: 'convert', parameters: { amount: [10, 25, 80], from: ['EUR', 'USD'], to: ['JPY', 'SEK'] } },
  { name: 'search', parameters: { query: ['ski tours', 'tide tables', 'night trains'] } },
] as const

interface Call {
  readonly name: string
  readonly parameters: Readonly<Record<string, string | number>>
}

function toolsTask(rng: Rng): Task {
  const calls: Call[] = rng.sample(tools, rng.int(1, 3)).map(({ name, parameters }) => ({
    name,
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([key, values]) => [key, rng.pick<string | number>(values)]),
    ),
  }))
  const say = (list: readonly unknown[]) =>
    `<think>The request needs ${calls.length === 1 ? 'one tool' : 'two tools'}.</think>\n<tool_call>\n${list.map((call) => JSON.stringify(call)).join('\n')}\n</tool_call>`
  const [first, ...rest] = calls as [Call, ...Call[]]
  const [key, value] = Object.entries(first.parameters)[0]!
  const without = Object.fromEntries(Object.entries(first.parameters).slice(1))
  const surplus = tools.find(({ name }) => !calls.some((call) => call.name === name))!
  const request = calls
    .map(
      ({ name, parameters }) =>
        `${name.replace('_', ' ')} with ${Object.entries(parameters)
          .map(([key, value]) => `${key} ${value}`)
          .join(', ')}`,
    )
    .join(', and ')
  const offered = tools
    .map(({ name, parameters }) => `${name}(${Object.keys(parameters).join(', ')})`)
    .join('; ')
  const right = 1 - 1 / (2 * calls.length)
  return {
    prompt: `Tools: ${offered}.\nPlease ${request}. Think inside think tags, then write one JSON object per line inside tool_call tags.`,
    reference: calls.map(({ name, parameters }) => ({ name, parameters })),
    candidates: [
      { recipe: 'right', quality: 1, output: say(calls) },
      {
        recipe: 'right: other order of parameters',
        quality: 1,
        output: say(
          calls.map((call) => ({
            name: call.name,
            parameters: Object.fromEntries(Object.entries(call.parameters).reverse()),
          })),
        ),
      },
      {
        recipe: 'flawed: one value wrong',
        quality: right,
        output: say([{ name: first.name, parameters: { ...first.parameters, [key]: `${value}x` } }, ...rest]),
      },
      {
        recipe: 'flawed: one parameter missing',
        quality: right - 0.1,
        output: say([{ name: first.name, parameters: without }, ...rest]),
      },
      {
        recipe: 'flawed: unknown tool',
        quality: 0.1,
        output: say([{ name: `${first.name}_now`, parameters: first.parameters }]),
      },
      {
        recipe: 'adversarial: calls a tool nobody asked for',
        quality: 0.4,
        output: say([
          ...calls,
          {
            name: surplus.name,
            parameters: Object.fromEntries(
              Object.entries(surplus.parameters).map(([key, values]) => [key, values[0]]),
            ),
          },
        ]),
      },
      {
        recipe: 'adversarial: the same call four times',
        quality: 0.3,
        output: say([...calls, first, first, first]),
      },
      {
        recipe: 'adversarial: claims success without a call',
        quality: 0,
        output:
          '<think>Done.</think>\n<response>I have done all of it for you. Everything is booked and confirmed.</response>',
      },
      {
        recipe: 'flawed: broken JSON',
        quality: 0.05,
        output: say(calls).replace(/}\n<\/tool_call>$/, '\n</tool_call>'),
      },
    ],
  }
}

// --- SVG

function svgTask(rng: Rng): Task {
  const things = scene(rng, rng.int(2, 4))
  const caption = things.map(({ shape, colour }) => `a ${colour} ${shape}`).join(', ')
  const reference = svgOf(things)
  const say = (svg: string) => `<think>I place the shapes one by one.</think> <answer>${svg}</answer>`
  const spun = things.map((thing, index) => {
    const by = index === 0 ? Math.round(side / 6) : 0
    const [x1, y1, x2, y2] = thing.box
    const room = x2 + by < side ? by : -by
    return { ...thing, box: [x1 + room, y1, x2 + room, y2] as const }
  })
  const names = Object.keys(colours) as Colour[]
  const recoloured = things.map((thing) => ({
    ...thing,
    colour: names[(names.indexOf(thing.colour) + 1) % names.length]!,
  }))
  const asGroups = reference
    .replace('<rect ', '<g><rect ')
    .replace(/<\/svg>$/, '</g></svg>')
    .replaceAll('"/>', '" />')
  return {
    prompt: `Draw ${caption} on a white ground of ${side} by ${side}. Write SVG inside answer tags.`,
    reference,
    candidates: [
      { recipe: 'right', quality: 1, output: say(reference) },
      { recipe: 'right: other markup, same picture', quality: 1, output: say(asGroups) },
      { recipe: 'flawed: one shape misplaced', quality: 0.7, output: say(svgOf(spun)) },
      {
        recipe: 'flawed: one shape missing',
        quality: 1 - 1 / things.length,
        output: say(svgOf(things.slice(1))),
      },
      { recipe: 'flawed: wrong colours', quality: 0.4, output: say(svgOf(recoloured)) },
      { recipe: 'adversarial: blank canvas', quality: 0, output: say(svgOf([])) },
      {
        recipe: 'adversarial: writes the caption as text',
        quality: 0,
        output: say(
          `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><text x="4" y="40">${caption}</text></svg>`,
        ),
      },
      {
        recipe: 'adversarial: right picture with a script',
        quality: 0,
        output: say(reference.replace('</svg>', '<script>fetch("https://example.com")</script></svg>')),
      },
      {
        recipe: 'flawed: cut off',
        quality: 0.1,
        output: `<think>I place the shapes one by one.</think> <answer>${reference.slice(0, reference.length - 40)}`,
      },
    ],
  }
}

// --- charts

function chartTask(rng: Rng): Task {
  const measure = rng.pick(['rain', 'sales', 'visitors', 'energy'])
  const places = rng.sample(['Oslo', 'Lima', 'Kyoto', 'Quito', 'Cairo', 'Perth'], rng.int(3, 6))
  const rows = places.map((place) => ({ place, [measure]: rng.int(5, 95) }))
  const mark = rng.pick(['bar', 'line', 'point'] as const)
  const specification = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: `${measure} by place`,
    data: { values: rows },
    mark,
    encoding: { x: { field: 'place', type: 'nominal' }, y: { field: measure, type: 'quantitative' } },
  }
  const say = (value: unknown) =>
    `<think>One mark, two encodings.</think>\n<answer>\n\`\`\`json\n${JSON.stringify(value)}\n\`\`\`\n</answer>`
  const other = mark === 'bar' ? 'line' : 'bar'
  const scaled = rows.map((row) => ({ ...row, [measure]: Number(row[measure]) + 20 }))
  return {
    prompt: `Draw a ${mark} chart titled "${measure} by place" of this table, places along x: ${JSON.stringify(rows)}. Answer with a Vega-Lite specification as fenced JSON inside answer tags.`,
    reference: specification,
    candidates: [
      { recipe: 'right', quality: 1, output: say(specification) },
      {
        recipe: 'right: mark written as an object',
        quality: 1,
        output: say({ ...specification, mark: { type: mark } }),
      },
      { recipe: 'flawed: other mark', quality: 0.6, output: say({ ...specification, mark: other }) },
      {
        recipe: 'flawed: axes swapped',
        quality: 0.5,
        output: say({
          ...specification,
          encoding: { x: specification.encoding.y, y: specification.encoding.x },
        }),
      },
      {
        recipe: 'flawed: wrong numbers',
        quality: 0.4,
        output: say({ ...specification, data: { values: scaled } }),
      },
      { recipe: 'flawed: no title', quality: 0.85, output: say({ ...specification, title: undefined }) },
      {
        recipe: 'adversarial: no data at all',
        quality: 0.1,
        output: say({ ...specification, data: { values: [] } }),
      },
      {
        recipe: 'adversarial: data from the network',
        quality: 0,
        output: say({ ...specification, data: { url: 'https://example.com/table.csv' } }),
      },
      {
        recipe: 'adversarial: talks about the chart',
        quality: 0,
        output: `<think>Done.</think>\n<answer>Here is a beautiful ${mark} chart of ${measure} by place.</answer>`,
      },
    ],
  }
}

// --- maths

function mathsTask(rng: Rng): Task {
  const a = rng.int(2, 30)
  const b = rng.int(2, 12)
  const form = rng.pick(['sum', 'share', 'root'] as const)
  const { question, gold, same, wrong } = {
    sum: {
      question: `What is ${a} plus ${b} times ${a}?`,
      gold: `${a + a * b}`,
      same: `${a + a * b}.0`,
      wrong: `${(a + b) * a}`,
    },
    share: {
      question: `A cake is cut into ${b + a} equal pieces and ${a} are eaten. What share is left?`,
      gold: `\\frac{${b}}{${a + b}}`,
      same: `\\dfrac{${3 * b}}{${3 * (a + b)}}`,
      wrong: `\\frac{${a}}{${a + b}}`,
    },
    root: {
      question: `Solve x^2 = ${a * a} for positive x and multiply by the square root of ${b}.`,
      gold: `${a}\\sqrt{${b}}`,
      same: `\\sqrt{${b}} \\cdot ${a}`,
      wrong: `${a * b}`,
    },
  }[form]
  const say = (boxed: string) =>
    `<think>I work it out step by step.</think>\nThe answer is \\boxed{${boxed}}.`
  return {
    prompt: `${question} Put the answer in \\boxed{}.`,
    reference: gold,
    candidates: [
      { recipe: 'right', quality: 1, output: say(gold) },
      { recipe: 'right: other form', quality: 1, output: say(same) },
      { recipe: 'flawed: wrong', quality: 0, output: say(wrong) },
      {
        recipe: 'flawed: corrected at the end',
        quality: 1,
        output: `It is \\boxed{${wrong}}. Wait, I misread. ${say(gold)}`,
      },
      {
        recipe: 'flawed: no box',
        quality: 0.3,
        output: `<think>I work it out.</think>\nThe answer is ${gold}.`,
      },
      {
        recipe: 'adversarial: lists many answers',
        quality: 0,
        output: `It may be ${gold}, ${wrong}, 1, 2, 3, 4, 5, 6, 7, 8, 9 or 10.`,
      },
      { recipe: 'adversarial: empty box', quality: 0, output: say('') },
      {
        recipe: 'adversarial: long and sure of itself',
        quality: 0,
        output: `${'Let us carefully consider every aspect of this deep problem. '.repeat(12)}\nThe answer is obviously \\boxed{${wrong}}.`,
      },
      { recipe: 'adversarial: a tower of powers', quality: 0, output: say('9^{9^{9^{9}}}') },
    ],
  }
}
