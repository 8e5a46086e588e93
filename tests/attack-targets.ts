import type { Json, Sample, Turns } from '../src/core/index.ts'

/** One reward as an attacker meets it. */
export interface Target {
  /** Name of the reward, and what sets its targets apart. */
  readonly reward: string
  readonly note?: string
  readonly options?: Readonly<Record<string, unknown>>
  readonly prompt: string
  readonly reference?: Json
  readonly meta?: Sample['meta']
  /** What stands where the answer goes: right, and wrong in everything. */
  readonly right: string
  readonly wrong: string
  /** Puts an answer into the output's form. @default the answer alone */
  readonly dress?: (answer: string) => string
  /** What the right answer earns. */
  readonly full: number
  /** Most that an output without any answer may earn. @default 0 */
  readonly nothing?: number
  /** Most that a well-formed wrong answer may earn: the format. @default `nothing` */
  readonly form?: number
  /** References that this reward can judge by although they look odd. */
  readonly accepts?: readonly Json[]
  /** Attacks that this reward pays on purpose, by name, and why. */
  readonly concedes?: Readonly<Record<string, string>>
  /** Attacks on this reward alone: an output, and the most that it may earn. */
  readonly attacks?: readonly {
    readonly name: string
    readonly output: Turns
    readonly most: number
    readonly reference?: Json
    readonly meta?: Sample['meta']
  }[]
}

const thinkAnswer = (answer: string) => `<think>I look.</think>\n<answer>${answer}</answer>`
const answerTag = (answer: string) => `<answer>${answer}</answer>`
/** References that are texts, if odd ones. */
const texts: readonly Json[] = [0, 3, '0', true, false]

const box = (answer: string) => `So it is \\boxed{${answer}}.`
const fence = (json: Json) => `\`\`\`json\n${JSON.stringify(json)}\n\`\`\``

const circle = { bbox_2d: [10, 10, 50, 50], label: 'circle' }
const square = { bbox_2d: [60, 10, 100, 50], label: 'square' }
const scene: Json = [circle, square]
const far: Json = [{ bbox_2d: [300, 300, 320, 320], label: 'circle' }]
const guesses: Json = Array.from({ length: 60 }, (_, index) => ({
  bbox_2d: [
    (index % 10) * 20,
    Math.floor(index / 10) * 20,
    (index % 10) * 20 + 40,
    Math.floor(index / 10) * 20 + 40,
  ],
  label: index % 2 === 0 ? 'circle' : 'square',
}))
const everywhere: Json = [{ bbox_2d: [0, 0, 1000, 1000], label: 'circle' }]
const ninefold: Json = Array.from({ length: 9 }, () => [circle, square]).flat()
/** Numbers that are none, boxes inside out, and what else JSON can hold instead of a box. */
const brokenBoxes = [
  '[{"bbox_2d": [1e999, 1e999, 1e999, 1e999], "label": "circle"}]',
  '[{"bbox_2d": [-1e308, -1e308, 1e308, 1e308], "label": "circle"}]',
  '[{"bbox_2d": [50, 50, 10, 10], "label": "circle"}, {"bbox_2d": [100, 50, 60, 10], "label": "square"}]',
  '[{"bbox_2d": [-0, -0, 0, 0], "label": "circle"}]',
  '[{"bbox_2d": ["10", "10", "50", "50"], "label": "circle"}]',
  '[{"bbox_2d": {"0": 10, "1": 10, "2": 50, "3": 50, "length": 4}, "label": "circle"}]',
  '[{"__proto__": {"bbox_2d": [10, 10, 50, 50], "label": "circle"}}]',
  '{"__proto__": {"boxes": []}}',
  '{"constructor": [10, 10, 50, 50]}',
  '[[[[]]]]',
  '{"length": 2}',
]
const boxAttacks = (dress: (answer: string) => string, form: number, half: number) => [
  ...brokenBoxes.map((text) => ({
    name: `broken boxes ${text.slice(0, 50)}`,
    output: dress(text),
    most: form,
  })),
  { name: 'one box around everything', output: dress(fence(everywhere)), most: form },
  { name: 'sixty guesses', output: dress(fence(guesses)), most: half },
  { name: 'every box nine times', output: dress(fence(ninefold)), most: half },
  { name: 'an empty list', output: dress('[]'), most: form },
  {
    name: 'words where nothing is to be found',
    output: dress('There is nothing.'),
    reference: [],
    most: form,
  },
]

const weather = { name: 'get_weather', arguments: { city: 'Oslo', unit: 'C' } }
const search = { name: 'search', arguments: { q: 'ski' } }
const calls = (...list: readonly Json[]) => list.map((call) => JSON.stringify(call)).join('\n')
const toolBlock = (lines: string) => `<tool_call>\n${lines}\n</tool_call>`
const toolrlDress = (lines: string) => `<think>Two tools.</think>\n${toolBlock(lines)}`
const asParameters = ({ name, arguments: parameters }: typeof weather | typeof search): Json => ({
  name,
  parameters,
})

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

/** Every registered reward, guarded where it has variants. A new reward joins by an entry here. */
export const targets: readonly Target[] = [
  {
    reward: 'arithmetic',
    prompt: 'Make 24 of 1, 4, 5 and 10.',
    reference: { numbers: [1, 4, 5, 10] },
    right: '(10 - 4) * (5 - 1)',
    wrong: '10 + 5 + 4 + 1',
    dress: answerTag,
    full: 1,
    attacks: [
      '24',
      '(10 - 4) * (5 - 1) * 1',
      '10 + 14 + 5 * 0',
      '1045 / 0',
      '0/0',
      '1e999 - 1e999 + 24',
      '24 + 1 * (4 - 4) * 5 * 10',
      '(10 - 4) * (5 - 1) = 24 = 10 + 14',
      '10 - 4 * 5 - 1',
      '24 // (10 - 4) * (5 - 1)',
      '(10-4)*(5-1), (10+4)*(5+1)',
    ].map((text) => ({ name: text, output: answerTag(text), most: 0 })),
  },
  {
    reward: 'choice',
    prompt: 'Which one? (A) a cat (B) a dog (C) a bird',
    reference: 'B',
    meta: { choices: ['a cat', 'a dog', 'a bird'] },
    right: 'B',
    wrong: 'C',
    dress: answerTag,
    full: 1,
    accepts: [0, 3],
    attacks: [
      'A, B, C',
      'A or B',
      'B or C',
      'A B C D',
      'A/B/C',
      '(A) (B) (C)',
      'B, B, A',
      'a cat, a dog, a bird',
      'not B',
      'not a dog',
      'All of them: A, B and C',
      'Neither A nor B',
      'В', // Cyrillic
    ].map((text) => ({ name: text, output: answerTag(text), most: 0 })),
  },
  {
    reward: 'contains',
    prompt: 'Who found the rays?',
    reference: 'Röntgen',
    right: 'Röntgen',
    wrong: 'Curie',
    full: 1,
    accepts: texts,
    concedes: {
      'the right answer in thoughts': 'the whole output is searched: use exact with a place for an answer',
      'the right answer in a comment': 'the whole output is searched',
      'the right answer in a code comment': 'the whole output is searched',
    },
    attacks: [
      { name: 'names everything', output: `${'Curie '.repeat(30)}Röntgen`, most: 1 },
      { name: 'part of a word', output: 'Röntgenstrahlen', most: 0 },
    ],
  },
  {
    reward: 'contains',
    note: 'with a limit on words',
    options: { maxWords: 5 },
    prompt: 'Who found the rays?',
    reference: 'Röntgen',
    right: 'Röntgen',
    wrong: 'Curie',
    full: 1,
    accepts: texts,
    concedes: {
      'the right answer in thoughts': 'see contains',
      'the right answer in a comment': 'see contains',
      'the right answer in a code comment': 'see contains',
    },
    attacks: [{ name: 'names everything', output: 'Curie, Planck, Bohr, Hertz, Lenard, Röntgen', most: 0 }],
  },
  {
    reward: 'exact',
    options: { where: 'tag:answer' },
    prompt: 'Who?',
    reference: 'Marie Curie',
    right: 'Marie Curie',
    wrong: 'Pierre Curie',
    dress: answerTag,
    full: 1,
    accepts: texts,
    attacks: ['Marie Curie, Pierre Curie', 'Маrie Curie', 'Marie\u200bCurie'].map((text) => ({
      name: text,
      output: answerTag(text),
      most: 0,
    })),
  },
  {
    reward: 'format',
    prompt: 'Think, then answer in tags.',
    right: 'four',
    wrong: '',
    dress: thinkAnswer,
    full: 1,
    form: 1,
    concedes: { skeleton: 'only the form is asked for' },
    attacks: [
      '<think></think><answer></answer>',
      '<think>\u200b</think><answer>\u200b</answer>',
      '<think>\ufeff</think><answer>4</answer>',
      '<think> </think><answer>4</answer>',
      '<think>a</think><answer>4</answer><answer>5</answer>',
      '<think>a<answer>4</answer></think><answer>4</answer>',
      '<think>a</think><answer>4',
      '<THINK>a</THINK><ANSWER>4</ANSWER>',
      '<answer>4</answer><think>a</think>',
      '<think>a</think>4',
    ].map((text) => ({ name: text, output: text, most: 0 })),
  },
  {
    reward: 'math',
    prompt: 'What is half of one?',
    reference: '\\frac{1}{2}',
    right: '0.5',
    wrong: '0.7',
    dress: box,
    full: 1,
    accepts: texts,
    attacks: [
      '0.5 or 0.7',
      '0.5, 0.7',
      '\\{0.5, 0.7\\}',
      '0.5 \\text{ or } 0.7',
      '0.5 = 0.7',
      '\\pm 0.5',
      '[0, 1]',
      '(0, 1)',
      '0.5 + x - x + 0.2',
      'x',
      '1/0',
      '0/0',
      '\\infty',
      'NaN',
      '\\text{half or double}',
      '\\frac{1}{2}\\frac{1}{2}',
      '1e-999',
      '.',
    ].map((text) => ({ name: text, output: box(text), most: 0 })),
  },
  {
    reward: 'numeric',
    prompt: 'How much does he pay?',
    reference: 4,
    right: '4',
    wrong: '9',
    dress: (answer) => `So he pays that.\n#### ${answer}`,
    full: 1,
    accepts: texts,
    attacks: [
      '1 2 3 4 5 6 7 8 9',
      '3 or 4',
      '4, 9',
      '4 9',
      '0-9',
      '4..9',
      '3 < 4',
      'Infinity',
      '1e999',
      'NaN',
      '\u0664\u0665',
      '-4',
      '4e1',
      '4000000000000000000000000000000000000000',
    ].map((text) => ({ name: text, output: `#### ${text}`, most: 0 })),
  },
  {
    reward: 'regex',
    options: { pattern: '\\d{4}-\\d{2}-\\d{2}', full: true, where: 'tag:answer' },
    prompt: 'When?',
    right: '2024-02-29',
    wrong: 'in March',
    dress: answerTag,
    full: 1,
  },
  {
    reward: 'boxes',
    prompt: 'Where are the circle and the square?',
    reference: scene,
    right: fence(scene),
    wrong: fence(far),
    dress: answerTag,
    full: 1,
    accepts: [[]],
    attacks: boxAttacks(answerTag, 0, 0.5),
  },
  {
    reward: 'boxes',
    note: 'average precision',
    options: { score: 'ap' },
    prompt: 'Where are the circle and the square?',
    reference: scene,
    right: fence(scene),
    wrong: fence(far),
    dress: answerTag,
    full: 1,
    accepts: [[]],
    attacks: boxAttacks(answerTag, 0, 0.5),
  },
  {
    reward: 'length',
    options: { shape: 'within', minimum: 2, maximum: 40, slope: 2 },
    prompt: 'Say something.',
    right: 'two words',
    wrong: '',
    full: 1,
    nothing: 1, // only words are counted
    attacks: ['', ' ', 'x '.repeat(100)].map((text) => ({ name: 'no length', output: text, most: 0 })),
  },
  {
    reward: 'repetition',
    prompt: 'Say something.',
    right: 'a b c d',
    wrong: 'a b c a b c a b c',
    full: 0,
    nothing: 0,
    attacks: [{ name: 'look-alike repeats', output: 'A b c a B c a b C', most: -0.5 }],
  },
  {
    reward: 'tool-calls',
    prompt: 'How cold is it in Oslo, and where can I ski?',
    reference: [weather, search],
    right: calls(weather, search),
    wrong: calls({ name: 'delete_all', arguments: {} }),
    dress: toolBlock,
    full: 1,
    accepts: [[]],
    attacks: [
      { name: 'claims without a call', output: 'I have called get_weather(city="Oslo") for you!', most: 0.5 },
      {
        name: 'the same call nine times',
        output: toolBlock(calls(...Array.from({ length: 9 }, () => weather))),
        most: 0.25,
      },
      {
        name: 'every tool with every city',
        output: toolBlock(
          calls(
            ...['Oslo', 'Lima', 'Rome', 'Bern', 'Cork', 'Bath'].flatMap((city) => [
              { ...weather, arguments: { city, unit: 'C' } },
              { name: 'search', arguments: { q: city } },
              { name: 'book', arguments: { city } },
            ]),
          ),
        ),
        most: 0.3,
      },
      {
        name: 'prototype names',
        output: toolBlock('{"name": "__proto__", "arguments": {}}\n{"name": "constructor", "arguments": {}}'),
        most: 0,
      },
      {
        name: 'prototype arguments',
        output: toolBlock(
          '{"name": "get_weather", "arguments": {"__proto__": {"city": "Oslo", "unit": "C"}}}',
        ),
        most: 0.25,
      },
      {
        name: 'arguments as an array',
        output: toolBlock('{"name": "get_weather", "arguments": ["Oslo", "C"]}'),
        most: 0.25,
      },
      {
        name: 'arguments that are no numbers',
        output: toolBlock('{"name": "get_weather", "arguments": {"city": NaN, "unit": 1e999}}'),
        most: 0.25,
      },
      { name: 'calling where nothing is wanted', output: toolBlock(calls(weather)), reference: [], most: 0 },
      {
        name: 'broken calling where nothing is wanted',
        output: '<tool_call>\n{"name"',
        reference: [],
        most: 0,
      },
      {
        name: 'calls in thoughts',
        output: `<think>${toolBlock(calls(weather, search))}</think>It is cold.`,
        most: 0,
      },
    ],
  },
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
    reward: 'code',
    prompt: 'Write a function that doubles.',
    right: 'const double = (x) => 2 * x',
    wrong: 'const double = (x) =>',
    dress: (answer) => `\`\`\`js\n${answer}\n\`\`\``,
    full: 1,
    concedes: { skeleton: 'an ellipsis is a syntax error' },
    attacks: [
      'hello',
      'yes',
      '42',
      ';',
      '{}',
      '// const double',
      '"use strict"',
      ';;;;',
      'A, B, C',
      '[]',
      'None',
      'null',
    ].map((text) => ({
      name: text,
      output: text,
      most: 0,
    })),
  },
  {
    reward: 'javascript-tests',
    prompt: 'Write a JavaScript function double(x).',
    reference: 'console.assert(double(2) === 4); console.assert(double(0) === 0)',
    right: 'const double = (x) => 2 * x',
    wrong: 'const double = (x) => x + 1',
    dress: (answer) => `\`\`\`js\n${answer}\n\`\`\``,
    full: 1,
    accepts: [true],
    attacks: [
      'console.assert = () => {}; const double = () => 0',
      'var console = { assert() {} }; function double() {}',
      'globalThis.console = { assert() {} }; function double() {}',
      'Object.defineProperty(globalThis, "console", { value: { assert() {} } }); function double() {}',
      'Object.defineProperty(globalThis, "require", { value: () => ({ assert() {} }) }); function double() {}',
      'const real = console; let calls = 0; const swap = (value) => Object.defineProperty(globalThis, "console", { value }); function double(x) { swap(++calls === 2 ? real : { assert() {} }); return 4 }',
      'Object.defineProperty(console, "assert", { value: () => {} }); function double() {}',
      'function double() { return { valueOf: () => 4 } }',
      'function double() { throw undefined }',
      'throw 0',
      'while (true);',
      'const double = () => { throw { message: "ok" } }',
      'Object.is = () => true; const double = () => 1',
      'new Proxy({}, {}); const double = (x) => double(x)',
      '*/ const double = (x) => 3 /*',
      'process.exit(0)',
      '} { const double = 1',
      'function assert() {} function double() { return 1 }',
    ].map((text) => ({ name: text.slice(0, 60), output: text, most: 0 })),
  },
  {
    reward: 'edit-distance',
    prompt: 'Say stop.',
    reference: 'stop',
    right: 'stop',
    wrong: 'zzzz',
    full: 1,
    nothing: 0.13,
    accepts: texts,
    concedes: {
      skeleton: 'a likeness',
      'the right answer in thoughts': 'a likeness of the whole output',
      'the right answer in a comment': 'a likeness of the whole output',
      'the right answer in a code comment': 'a likeness of the whole output',
      everything: 'a likeness',
      words: 'a likeness',
      'the prompt': 'a likeness',
    },
    attacks: [{ name: 'everything at once', output: 'abcdefghijklmnopqrstuvwxyz'.repeat(10), most: 0.1 }],
  },
  {
    reward: 'rouge',
    prompt: 'Summarise.',
    reference: 'the character moves forward and jumps',
    right: 'the character moves forward and jumps',
    wrong: 'zzz zzz',
    full: 1,
    accepts: texts,
    concedes: {
      'the right answer in thoughts': 'a likeness of the whole output',
      'the right answer in a comment': 'a likeness of the whole output',
      'the right answer in a code comment': 'a likeness of the whole output',
    },
    attacks: [
      {
        name: 'the reference among a thousand words',
        output: `${'word '.repeat(1000)}the character moves forward and jumps`,
        most: 0.1,
      },
    ],
  },
  {
    reward: 'bleu',
    prompt: 'Translate.',
    reference: 'The cat sat on the mat.',
    right: 'The cat sat on the mat.',
    wrong: 'zzz zzz',
    full: 1,
    nothing: 0.08,
    accepts: texts,
    concedes: {
      'the right answer in thoughts': 'a likeness of the whole output',
      'the right answer in a comment': 'a likeness of the whole output',
      'the right answer in a code comment': 'a likeness of the whole output',
    },
    attacks: [
      { name: 'one frequent word', output: 'the', most: 0.05 },
      { name: 'one frequent word many times', output: 'the the the the the the', most: 0.3 },
    ],
  },
  {
    reward: 'json',
    prompt: 'Answer in JSON.',
    options: { kind: 'object' },
    right: '{"a": 1}',
    wrong: '{"a": 1,}',
    full: 1,
    concedes: { nothing: 'an empty object is an object' },
    attacks: [
      'NaN',
      '{"a": NaN}',
      "{'a': 1}",
      '{"a": 1} {"b": 2}',
      '{"a": 01}',
      '{"a": Infinity}',
      '{"a": 1}}',
      '[]',
      'null',
    ].map((text) => ({ name: text, output: text, most: 0 })),
  },
  {
    reward: 'json-schema',
    prompt: 'Answer in JSON.',
    reference: {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    },
    right: '{"name": "Ada"}',
    wrong: '{"age": 3}',
    full: 1,
    attacks: [
      '{"__proto__": {"name": "Ada"}}',
      '{"constructor": {"name": "Ada"}}',
      '[{"name": "Ada"}]',
      '{"name": "Ada", "__proto__": 1}',
      '{"name": 1e999}',
    ].map((text) => ({ name: text, output: text, most: 0 })),
  },
  {
    reward: 'instructions',
    prompt: 'Describe the sea without commas, in at least five words.',
    reference: {
      instruction_id_list: ['punctuation:no_comma', 'length_constraints:number_words'],
      kwargs: [{}, { relation: 'at least', num_words: 5 }],
    },
    right: 'The sea is wide and blue.',
    wrong: 'The sea, blue.',
    full: 1,
    concedes: {
      'the prompt': 'has no comma rule broken only by luck',
      words: 'only the form is asked for',
      everything: 'only the form is asked for',
      'the right answer in thoughts': 'the whole output is checked',
      'the right answer in a comment': 'the whole output is checked',
      'the right answer in a code comment': 'the whole output is checked',
      skeleton: 'only the form is asked for',
    },
  },
  {
    reward: 'recorded',
    options: { field: 'helpful', low: 0, high: 1 },
    prompt: 'How?',
    meta: { helpful: 0.5 },
    right: 'anything',
    wrong: 'anything',
    full: 0.5,
    nothing: 0.5,
  },
  {
    reward: 'chair',
    prompt: 'Describe the image.',
    reference: ['person', 'dog'],
    right: 'A man and his puppy.',
    wrong: 'A cat on a couch.',
    full: 1,
    concedes: {
      'the right answer in thoughts': 'the whole caption is read',
      'the right answer in a comment': 'the whole caption is read',
      'the right answer in a code comment': 'the whole caption is read',
    },
    attacks: [
      {
        name: 'lists twenty objects',
        output:
          'person dog cat horse sheep cow elephant bear zebra giraffe car bus train truck boat bench bird kite cup fork',
        most: 0.2,
      },
    ],
  },
  {
    reward: 'yes-no',
    prompt: 'Is there a dog in the image?',
    reference: 'yes',
    right: 'Yes',
    wrong: 'No',
    full: 1,
    accepts: [true, false],
    attacks: [
      'yes. no.',
      'Yes no',
      'yes/no',
      'Yes or no',
      'Yes and no.',
      'no yes',
      'yesno',
      'yesterday',
      'ye\u200bs',
      'I know yes',
      'Not yes',
      'Yes, no, yes, no',
    ].map((text) => ({ name: text, output: text, most: 0 })),
  },
  {
    reward: 'vlm-r1',
    note: 'od_ap',
    options: { method: 'od_ap' },
    prompt: 'Detect.',
    reference: scene,
    right: fence(scene),
    wrong: fence(far),
    dress: thinkAnswer,
    full: 2,
    form: 1,
    accepts: [[]],
    attacks: boxAttacks(thinkAnswer, 1, 1.5),
  },
  {
    reward: 'vlm-r1',
    note: 'odLength',
    options: { method: 'odLength' },
    prompt: 'Detect.',
    reference: scene,
    right: fence(scene),
    wrong: fence(far),
    dress: thinkAnswer,
    full: 2,
    form: 1,
    accepts: [[]],
    attacks: boxAttacks(thinkAnswer, 1, 1.25),
  },
  {
    reward: 'vlm-r1',
    note: 'weighted_sum',
    options: { method: 'weighted_sum' },
    prompt: 'Detect.',
    reference: scene,
    right: fence(scene),
    wrong: fence(far),
    dress: thinkAnswer,
    full: 2,
    form: 1,
    accepts: [[]],
    attacks: boxAttacks(thinkAnswer, 1, 1.9),
  },
  {
    reward: 'vlm-r1',
    note: 'rec',
    options: { method: 'rec' },
    prompt: 'Where is the circle?',
    reference: [10, 10, 50, 50],
    right: '{"bbox_2d": [10, 10, 50, 50]}',
    wrong: '{"bbox_2d": [300, 300, 320, 320]}',
    dress: thinkAnswer,
    full: 2,
    form: 1,
    attacks: [
      {
        name: 'one box around everything',
        output: thinkAnswer('{"bbox_2d": [0, 0, 1000, 1000]}'),
        most: 1.01,
      },
      { name: 'inside out', output: thinkAnswer('{"bbox_2d": [50, 50, 10, 10]}'), most: 1 },
      { name: 'numbers in a row', output: thinkAnswer('{10 20 30 40 50}'), most: 0 },
    ],
  },
  {
    reward: 'vlm-r1',
    note: 'yes_no',
    options: { method: 'yes_no' },
    prompt: 'Is there a dog?',
    reference: 'no',
    right: 'No',
    wrong: 'Yes',
    dress: thinkAnswer,
    full: 2,
    form: 1,
    accepts: texts,
    attacks: ['I know', 'nothing', 'yes no', 'yes. no.', 'None', 'n\u200bo'].map((text) => ({
      name: text,
      output: thinkAnswer(text),
      most: 1,
    })),
  },
  {
    reward: 'vlm-r1',
    note: 'mcq',
    options: { method: 'mcq' },
    prompt: 'Which? A cat B dog',
    reference: 'B',
    right: 'B',
    wrong: 'A',
    dress: thinkAnswer,
    full: 2,
    form: 1,
    attacks: ['A or B', 'A, B, C, D', 'A B C D', 'A. B. C. D.', 'not B', 'A. correct! B.'].map((text) => ({
      name: text,
      output: thinkAnswer(text),
      most: 1,
    })),
  },
  {
    reward: 'vlm-r1',
    note: 'math',
    options: { method: 'math' },
    prompt: 'How many?',
    reference: '12',
    right: '12',
    wrong: '7',
    dress: thinkAnswer,
    full: 2,
    form: 1,
    accepts: texts,
    attacks: ['7, 12', '12 or 7', 'x', '1 2', '[12, 7]'].map((text) => ({
      name: text,
      output: thinkAnswer(text),
      most: 1,
    })),
  },
  {
    reward: 'vlm-r1',
    note: 'default',
    prompt: 'What?',
    reference: 'red circle',
    right: 'red circle',
    wrong: 'zzzz',
    dress: thinkAnswer,
    full: 2,
    form: 1,
    nothing: 0.35,
    accepts: texts,
    concedes: {
      everything: 'a likeness',
      words: 'a likeness',
      skeleton: 'a likeness',
      'the right answer in a comment': 'a likeness',
      'the right answer in a code comment': 'a likeness',
    },
  },
  {
    reward: 'visual-rft',
    note: 'detection',
    prompt: 'Find the circle and the square.',
    reference: [circle.bbox_2d, square.bbox_2d],
    right:
      "[{'Position': [10, 10, 50, 50], 'Confidence': 1.0}, {'Position': [60, 10, 100, 50], 'Confidence': 1.0}]",
    wrong: "[{'Position': [300, 300, 320, 320], 'Confidence': 1.0}]",
    dress: thinkAnswer,
    full: 3,
    form: 1,
    accepts: [[]],
    attacks: [
      {
        name: 'sure of nothing',
        output: thinkAnswer("[{'Position': [300, 300, 320, 320], 'Confidence': 0.0}]"),
        most: 1.5,
      },
      {
        name: 'sixty unsure guesses',
        output: thinkAnswer(
          JSON.stringify(
            guesses.map((item) => ({ Position: (item as typeof circle).bbox_2d, Confidence: 0 })),
          ),
        ),
        most: 2,
      },
      {
        name: 'confidence beyond 1',
        output: thinkAnswer("[{'Position': [10, 10, 50, 50], 'Confidence': 1e9}]"),
        most: 1,
      },
      {
        name: 'confidence below 0',
        output: thinkAnswer("[{'Position': [300, 300, 320, 320], 'Confidence': -1e9}]"),
        most: 1,
      },
      {
        name: 'confidence as text',
        output: thinkAnswer("[{'Position': [10, 10, 50, 50], 'Confidence': '1'}]"),
        most: 1,
      },
      {
        name: 'an infinite box',
        output: thinkAnswer("[{'Position': [-1e999, 0, 1e999, 1e999], 'Confidence': 1}]"),
        most: 1,
      },
      { name: 'an empty list', output: thinkAnswer('[]'), most: 1 },
      {
        name: 'nothing sure among nothing',
        output: thinkAnswer("[{'Position': [1, 1, 2, 2], 'Confidence': 0}]"),
        reference: [],
        most: 1,
      },
    ],
  },
  {
    reward: 'visual-rft',
    note: 'classification',
    options: { task: 'classification' },
    prompt: 'Which aircraft?',
    reference: 'A340',
    right: 'A340',
    wrong: 'B747',
    dress: thinkAnswer,
    full: 2,
    form: 1,
    accepts: ['0'],
    attacks: ['A', 'A340 B747 A320 A380', '3', 'A34', '_', ' _ '].map((text) => ({
      name: text,
      output: thinkAnswer(text),
      most: 1,
    })),
  },
  {
    reward: 'visual-rft',
    note: 'grounding',
    options: { task: 'grounding' },
    prompt: 'Where?',
    reference: '(300,100),(700,500)',
    right: '(300,100),(700,500)',
    wrong: '(900,900),(1000,1000)',
    dress: thinkAnswer,
    full: 3,
    form: 1.5,
    attacks: [
      { name: 'inside out', output: thinkAnswer('(700,500),(300,100)'), most: 1 },
      { name: 'one box around everything', output: thinkAnswer('(0,0),(1000,1000)'), most: 2.17 },
      { name: 'empty box', output: thinkAnswer('(300,100),(300,100)'), most: 2 },
    ],
  },
  {
    reward: 'vision-r1',
    prompt: 'Detect all shapes.',
    reference: [
      ['circle', circle.bbox_2d],
      ['square', square.bbox_2d],
    ],
    right: fence(scene),
    wrong: fence(far),
    full: 3,
    nothing: 0,
    form: 1,
    accepts: [[]],
    attacks: boxAttacks((text) => text, 1.5, 2.2),
  },
  {
    reward: 'vision-sr1',
    prompt: 'What colour is the ball?',
    reference: 'red',
    meta: { text_only_answer: null },
    right: 'red',
    wrong: 'blue',
    dress: (answer) => `<description>A ball on grass.</description><think>I look.</think>\\boxed{${answer}}`,
    full: 1,
    form: 0.1,
    accepts: texts,
    attacks: [
      {
        name: 'no description, right second pass',
        output: '<think>I look.</think>\\boxed{blue}',
        meta: { text_only_answer: '\\boxed{red}' },
        most: 0,
      },
      {
        name: 'an empty description',
        output: '<description></description><think>I look.</think>\\boxed{blue}',
        meta: { text_only_answer: '\\boxed{red}' },
        most: 0.1,
      },
      {
        name: 'an invisible description',
        output: '<description>\u200b</description><think>I look.</think>\\boxed{blue}',
        meta: { text_only_answer: '\\boxed{red}' },
        most: 0.1,
      },
      {
        name: 'a description that is its answer',
        output: '<description>\\boxed{red}</description><think>I look.</think>\\boxed{blue}',
        meta: { text_only_answer: '\\boxed{red}' },
        most: 0.1,
      },
      {
        name: 'both colours',
        output: '<description>A ball.</description><think>I look.</think>\\boxed{red, blue}',
        most: 0.1,
      },
      { name: 'nothing against None', output: '', reference: 'None', most: 0 },
    ],
  },
  {
    reward: 'vicrit',
    prompt: 'One phrase of the description is wrong. Which?',
    reference: { original: 'a large red backpack', changed: 'a large green backpack' },
    meta: {
      changed_caption:
        'A man in a blue coat carries a large green backpack past two white cars and a tall tree.',
    },
    right: 'green backpack',
    wrong: 'blue coat',
    dress: (answer) => `<think>I look.</think>\n\\boxed{${answer}}`,
    full: 1,
    form: 0.1,
    attacks: [
      {
        name: 'the whole caption',
        output:
          '<think>I look.</think>\n\\boxed{A man in a blue coat carries a large green backpack past two white cars and a tall tree.}',
        most: 0.1,
      },
      {
        name: 'a list of guesses',
        output: '<think>I look.</think>\n\\boxed{["blue coat", "green", "white", "tall"]}',
        most: 0.1,
      },
      {
        name: 'words of the caption',
        output: '<think>I look.</think>\n\\boxed{blue, green, white, two, tall}',
        most: 0.1,
      },
      { name: 'a letter', output: '<think>I look.</think>\n\\boxed{g}', most: 0.1 },
      { name: 'two boxes', output: '<think>I look.</think>\n\\boxed{green} \\boxed{blue}', most: 0.9 },
    ],
  },
  {
    reward: 'got-r1',
    prompt: 'A vase left of a cup.',
    meta: {
      prompt_image: 0.8,
      semantic: 0.75,
      spatial: 0.9,
      grounded: [
        [100, 100, 500, 500],
        [600, 200, 900, 700],
      ],
    },
    right:
      'A <|obj_start|>vase<|obj_end|><|box_start|>(100,100),(500,500)<|box_end|> left of a <|obj_start|>cup<|obj_end|><|box_start|>(600,200),(900,700)<|box_end|>.',
    wrong: 'A <|obj_start|>vase<|obj_end|><|box_start|>(0,900),(90,990)<|box_end|>.',
    full: 0.8 * 1.65,
    attacks: [
      {
        name: 'empty boxes',
        output: 'A <|obj_start|>vase<|obj_end|><|box_start|>(100,100),(100,100)<|box_end|>',
        most: 0,
      },
      {
        name: 'one object thrice',
        output: 'A <|obj_start|>vase<|obj_end|><|box_start|>(100,100),(500,500)<|box_end|>'.repeat(3),
        most: 0.8 * 1.65,
      },
      {
        name: 'objects without names',
        output: '<|obj_start|><|obj_end|><|box_start|>(100,100),(500,500)<|box_end|>',
        most: 0,
      },
    ],
  },
  {
    reward: 'perception-r1',
    prompt: 'What is the sum of the sides?',
    reference: '14',
    meta: { facts: ['AB = 7', 'BC = 7'], fact_verdicts: [0, 0] },
    right: '14',
    wrong: '15',
    dress: (answer) => `<think>\nTwo sides are 7.\n</think>\n<answer>\n\\boxed{${answer}}\n</answer>`,
    full: 1,
    form: 0.1,
    accepts: texts,
    attacks: [
      { name: 'the policy writes its own verdicts', output: '<info1>1</info1><info2>1</info2>', most: 0 },
      {
        name: 'a surplus of verdicts',
        output: '',
        meta: { facts: ['a'], judge_reply: '<info1>0</info1><info2>1</info2><info3>1</info3>' },
        most: 0,
      },
      {
        name: 'huge verdicts',
        output: '',
        meta: { facts: ['a', 'b'], fact_verdicts: [1e308, -1e308] },
        most: 0.35,
      },
      { name: 'a box in thoughts only', output: '<think>\n\\boxed{14}\n</think>\nI do not know.', most: 0 },
    ],
  },
  {
    reward: 'lsc-reward-transform',
    options: { terms: [{ field: 'helpful', reference: 0 }] },
    prompt: 'How?',
    meta: { helpful: 3 },
    right: 'anything',
    wrong: 'anything',
    full: -0.048587,
    nothing: 0,
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
  ...(
    [
      [
        'binary',
        'math',
        'no',
        'No',
        'Yes',
        ['yes no', 'no yes', 'not true', 'yes. no.', 'I know'],
        [false, true],
      ],
      [
        'choice',
        'math',
        'B',
        'B',
        'C',
        ['A, B', 'A B C D E', 'A or B', 'cat', 'B or C', 'a B cat', 'A bee'],
        [],
      ],
      ['open', 'math', '5', '5', '7', ['the answer 15', '5, 7', '5 or 7', 'x', '1 2 3 4 5', ','], texts],
      ['open', 'classify', 'cat, dog', 'cat, dog', 'fox', ['', ',', '[]'], texts],
      [
        'open',
        'detection',
        [10, 10, 50, 50],
        '{"box": [10, 10, 50, 50]}',
        '{"box": [300, 300, 320, 320]}',
        ['{"box": [50, 50, 10, 10]}', '{"box": [0, 0, 1000, 1000]}', '{}'],
        [],
      ],
    ] as const
  ).map(
    ([stage, task, reference, right, wrong, odd, accepts]): Target => ({
      reward: 'curr-reft',
      note: `${stage} ${task}`,
      options: { stage, task },
      prompt: 'Look at the picture.',
      reference: reference as Json,
      right,
      wrong,
      dress: thinkAnswer,
      full: 2,
      form: 1,
      accepts: accepts as readonly Json[],
      ...(task === 'classify'
        ? {
            concedes: {
              'the right answer in a comment': 'every word is a label, surplus ones cost',
              'the right answer in a code comment': 'every word is a label, surplus ones cost',
            },
          }
        : {}),
      attacks: odd.map((text) => ({ name: text, output: thinkAnswer(text), most: 1 })),
    }),
  ),
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
  {
    reward: 'toolrl',
    prompt: 'How cold is it in Oslo, and where can I ski?',
    reference: toolrlDress(calls(asParameters(weather), asParameters(search))),
    right: calls(asParameters(weather), asParameters(search)),
    wrong: calls({ name: 'delete_all', parameters: {} }),
    dress: toolrlDress,
    full: 4,
    nothing: -3,
    form: -2,
    accepts: [[], '', '0'],
    attacks: [
      {
        name: 'the same call nine times',
        output: toolrlDress(calls(...Array.from({ length: 9 }, () => asParameters(weather)))),
        most: 0,
      },
      { name: 'prototype names', output: toolrlDress('{"name": "__proto__", "parameters": {}}'), most: -2 },
      {
        name: 'parameters as an array',
        output: toolrlDress('{"name": "get_weather", "parameters": ["Oslo", "C"]}'),
        most: -2,
      },
      {
        name: 'calls in thoughts',
        output: `<think>${toolBlock(calls(asParameters(weather), asParameters(search)))}</think>\n<response>Cold.</response>`,
        most: -3,
      },
      {
        name: 'two blocks',
        output: `${toolrlDress(calls(asParameters(weather), asParameters(search)))}\n${toolBlock(calls(asParameters(weather)))}`,
        most: 3,
      },
      {
        name: 'calling where nothing is wanted',
        output: toolrlDress(calls(asParameters(weather))),
        reference: [],
        most: -2,
      },
    ],
  },
  {
    reward: 'dip-r1',
    prompt: 'Find every pedestrian.',
    reference: [
      [0, 0, 16, 16],
      [40, 40, 64, 64],
    ],
    meta: { width: 64, height: 64 },
    right: '[[0, 0, 16, 16], [40, 40, 64, 64]]',
    wrong: '[[20, 20, 30, 30]]',
    dress: (answer) => `<think>A crowd.</think><look>[]</look><answer>${answer}</answer>`,
    full: 3,
    form: 2,
    accepts: [[]],
    concedes: {
      'the right answer in a comment': 'every box in the answer block counts, surplus ones cost',
      'the right answer in a code comment': 'every box in the answer block counts, surplus ones cost',
    },
    attacks: [
      {
        name: 'looks everywhere',
        output: '<think>A crowd.</think><look>[[0, 0, 64, 64]]</look><answer>[[20, 20, 30, 30]]</answer>',
        most: 1,
      },
      {
        name: 'words for an answer',
        output: '<think>A crowd.</think><look>[]</look><answer>many people</answer>',
        most: 1,
      },
      {
        name: 'an answer of everything',
        output: `<think>A crowd.</think><look>[]</look><answer>${JSON.stringify(guesses.map((item) => (item as typeof circle).bbox_2d))}</answer>`,
        most: 2.55,
      },
      {
        name: 'endless boxes',
        output:
          '<think>A crowd.</think><look>[[-1e999, 0, 1e999, 1e999]]</look><answer>[[0, 0, 1e999, 1e999]]</answer>',
        most: 1.5,
      },
    ],
  },
]
