import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { testOnData } from '../../../../tests/shared-data.ts'
import type { Sample } from '../../../core/index.ts'
import { instructionCheck, instructionKinds } from './instruction-checks.ts'
import { followedInstructions, instructionAccuracy, instructions } from './instructions.ts'
import { languageDetector } from './language-detection.ts'

const tools = { detectLanguage: await languageDetector() }
const follows = (id: string, given: object, response: string, mode: 'strict' | 'loose' = 'strict') =>
  followedInstructions(response, [instructionCheck(id, given as never)], mode, tools)[0]

const english = 'The old harbour lies quietly in the evening light and the boats are tied to the wall'
const languages: Record<string, string> = {
  en: english,
  kn: 'ಕನ್ನಡ ನಾಡಿನ ಹಳೆಯ ಊರುಗಳಲ್ಲಿ ಜನರು ಸಂಜೆ ಹೊತ್ತು ಕಥೆ ಹೇಳುತ್ತಾರೆ',
  mr: 'माझ्या आजीच्या घरात खूप जुनी पुस्तके आहेत आणि ती आम्हाला रोज गोष्टी सांगते',
  hi: 'मेरी दादी के घर में बहुत पुरानी किताबें हैं और वह हमें रोज़ कहानियाँ सुनाती हैं',
  vi: 'Ngôi làng nhỏ nằm bên bờ sông và mọi người sống rất vui vẻ với nhau',
  ru: 'Старая гавань тихо лежит в вечернем свете, и лодки привязаны к стене',
  bg: 'Старото пристанище лежи тихо на вечерната светлина и лодките са вързани за стената',
  gu: 'જૂના ગામમાં લોકો સાંજે ભેગા થઈને વાર્તાઓ કહે છે',
  te: 'పాత ఊరిలో ప్రజలు సాయంత్రం కథలు చెప్పుకుంటారు',
  ta: 'பழைய ஊரில் மக்கள் மாலையில் கதைகள் சொல்வார்கள்',
  ko: '오래된 항구는 저녁 빛 속에 조용히 있고 배들은 벽에 묶여 있습니다',
  bn: 'পুরনো গ্রামে মানুষ সন্ধ্যায় গল্প বলে এবং গান গায়',
  fi: 'Vanha satama lepää hiljaa illan valossa ja veneet on sidottu laituriin kiinni',
}

/** For each kind: a response that follows it, whatever its arguments, and one that does not. */
const answers: Record<string, (given: any) => { readonly good: string; readonly bad: string }> = {
  'keywords:existence': ({ keywords }) => ({
    good: `On ${keywords.join(' and ').toUpperCase()}.`,
    bad: keywords.slice(1).join(' ') || '-',
  }),
  'keywords:frequency': ({ relation, keyword, frequency }) => counted(relation, frequency, keyword),
  'keywords:forbidden_words': ({ forbidden_words: words }) => ({
    good: words.map((word: string) => `x${word}x`).join(' '),
    bad: `Well (${words.at(-1).toUpperCase()}).`,
  }),
  'keywords:letter_frequency': ({ let_relation, letter, let_frequency }) =>
    counted(let_relation, let_frequency, letter.toUpperCase()),
  'language:response_language': ({ language }) => ({
    good: languages[language]!,
    bad: language === 'en' ? languages.fi! : english,
  }),
  'length_constraints:number_sentences': ({ relation, num_sentences }) =>
    counted(relation, num_sentences, 'Dr. Ada saw 3.5 of them!', ' '),
  'length_constraints:number_words': ({ relation, num_words }) => counted(relation, num_words, 'naïve', '-'),
  'length_constraints:number_paragraphs': ({ num_paragraphs: n }) => ({
    good: Array.from({ length: n }, (_, i) => `part ${i}`).join('\n***\n'),
    bad: Array.from({ length: n + 1 }, (_, i) => `part ${i}`).join('\n***\n'),
  }),
  'length_constraints:nth_paragraph_first_word': ({ num_paragraphs, nth_paragraph, first_word }) => {
    const paragraphs = Array.from({ length: num_paragraphs }, () => 'Other words.')
    const good = paragraphs.with(nth_paragraph - 1, `"${first_word.toUpperCase()}," he said.`).join('\n\n')
    return { good, bad: `${good}\n\nOne more.` }
  },
  'detectable_content:number_placeholders': ({ num_placeholders: n }) => ({
    good: Array.from({ length: n }, (_, i) => `[field ${i}]`).join(' '),
    bad: `${Array.from({ length: n - 1 }, () => '[a]').join(' ')} [open\n]`,
  }),
  'detectable_content:postscript': ({ postscript_marker }) => ({
    good: `Bye.\n${postscript_marker} more`,
    bad: 'Bye. P.T.O.',
  }),
  'detectable_format:number_bullet_lists': ({ num_bullets: n }) => ({
    good: ['Intro', ...Array.from({ length: n }, (_, i) => (i % 2 ? '  - b' : '* a')), '** not one'].join(
      '\n',
    ),
    bad: Array.from({ length: n + 1 }, () => '* a').join('\n'),
  }),
  'detectable_format:constrained_response': () => ({
    good: 'Hm. My answer is maybe.',
    bad: 'My answer is perhaps.',
  }),
  'detectable_format:number_highlighted_sections': ({ num_highlights: n }) => ({
    good: Array.from({ length: n }, (_, i) => (i % 2 ? '*one*' : '**two**')).join(' and '),
    bad: `${'*one* '.repeat(n - 1)} ** ** *open`,
  }),
  'detectable_format:multiple_sections': ({ section_spliter: name, num_sections: n }) => ({
    good: Array.from({ length: n }, (_, i) => `${name} ${i + 1}\ntext`).join('\n'),
    bad: Array.from({ length: n - 1 }, (_, i) => `${name} ${i + 1}\ntext`).join('\n'),
  }),
  'detectable_format:json_format': () => ({ good: '```json\n{"a": [1]}\n```', bad: 'Here: {"a": 1}' }),
  'detectable_format:title': () => ({ good: 'I call it\n<<a song>>', bad: '<< >>\n<a song>' }),
  'combination:two_responses': () => ({ good: 'First.\n******\nSecond.', bad: 'Same.\n******\nSame.' }),
  'combination:repeat_prompt': ({ prompt_to_repeat }) => ({
    good: `  ${prompt_to_repeat.toUpperCase()}\nThen the answer.`,
    bad: `Sure! ${prompt_to_repeat}`,
  }),
  'startend:end_checker': ({ end_phrase }) => ({
    good: `"Well. ${end_phrase.toUpperCase()}"\n`,
    bad: `${end_phrase} Bye`,
  }),
  'startend:quotation': () => ({ good: ' "All of it." ', bad: '"Half" of it' }),
  'change_case:capital_word_frequency': ({ capital_relation, capital_frequency }) =>
    counted(capital_relation, capital_frequency, 'TOP-10', ' small '),
  'change_case:english_capital': () => ({ good: english.toUpperCase(), bad: english }),
  'change_case:english_lowercase': () => ({ good: `${english.toLowerCase()}, 3 times.`, bad: english }),
  'punctuation:no_comma': () => ({ good: 'No; none.', bad: 'One, two' }),
}

/** "at least n": n of them follow, n - 1 do not; "less than n" the other way round. */
function counted(relation: string, n: number, item: string, separator = ' _ ') {
  const times = (count: number) => (count === 0 ? '=' : new Array<string>(count).fill(item).join(separator))
  return relation === 'at least'
    ? { good: times(n), bad: times(n - 1) }
    : { good: times(n - 1), bad: times(n) }
}

test('there are 25 kinds, and an answer for each', () => {
  expect(Object.keys(instructionKinds)).toHaveLength(25)
  expect(Object.keys(answers).sort()).toEqual(Object.keys(instructionKinds).sort())
})

testOnData(
  'ifeval',
  'every instruction of every prompt tells a response that follows it from one that does not',
  (folder) => {
    const prompts: { key: number; instruction_id_list: string[]; kwargs: object[] }[] = readFileSync(
      `${folder}/prompts.jsonl`,
      'utf8',
    )
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const seen = new Map<string, number>()
    for (const { key, instruction_id_list: ids, kwargs } of prompts)
      for (const [index, id] of ids.entries()) {
        const { good, bad } = answers[id]!(kwargs[index])
        const where = `${key} ${id} ${JSON.stringify(kwargs[index])}`
        expect(follows(id, kwargs[index]!, good), `${where}: ${good}`).toBe(true)
        expect(follows(id, kwargs[index]!, bad), `${where}: ${bad}`).toBe(false)
        expect(follows(id, kwargs[index]!, ' \n'), where).toBe(false)
        seen.set(id, (seen.get(id) ?? 0) + 1)
      }
    expect(seen.size).toBe(25)
    expect([...seen.values()].reduce((a, b) => a + b, 0)).toBe(427)
  },
)

describe('easily got wrong', () => {
  test.each<[string, object, string, boolean]>([
    // a word is not part of a word, in any script
    ['keywords:forbidden_words', { forbidden_words: ['née'] }, 'année', true],
    ['keywords:forbidden_words', { forbidden_words: ['field'] }, 'a field_x fields', true],
    // "C++" is a text, not a pattern
    ['keywords:existence', { keywords: ['C++'] }, 'I like c++.', true],
    ['keywords:letter_frequency', { letter: '!', let_frequency: 2, let_relation: 'less than' }, 'a!b', true],
    // highlights: ** alone is empty; a bold section counts once
    ['detectable_format:number_highlighted_sections', { num_highlights: 2 }, '**bold**', false],
    ['detectable_format:number_highlighted_sections', { num_highlights: 1 }, '* item\n* item', false],
    ['length_constraints:number_paragraphs', { num_paragraphs: 2 }, '***\na\n***\nb\n***', true],
    ['length_constraints:number_paragraphs', { num_paragraphs: 2 }, 'a\n***\n\n***\nb', false],
    [
      'length_constraints:nth_paragraph_first_word',
      { num_paragraphs: 2, nth_paragraph: 3, first_word: 'a' },
      'x\n\na',
      false,
    ],
    ['detectable_content:number_placeholders', { num_placeholders: 2 }, '[a [b] c]', false],
    ['detectable_content:postscript', { postscript_marker: 'P.P.S' }, 'bye\np. p. s. more', true],
    ['detectable_content:postscript', { postscript_marker: 'P.S.' }, 'bye\nPS more', false],
    ['detectable_format:number_bullet_lists', { num_bullets: 1 }, '*\nitem', true],
    ['detectable_format:number_bullet_lists', { num_bullets: 0 }, 'a - b\n**bold**', true],
    ['combination:two_responses', {}, 'a\n******\nb\n******\n', true],
    ['combination:two_responses', {}, 'a\n******\n\n******\nb', false],
    ['combination:two_responses', {}, 'only one', false],
    ['startend:quotation', {}, '"', false],
    [
      'change_case:english_capital',
      {},
      'STRASSE UND HAUS STEHEN AM ALTEN HAFEN UND DIE LICHTER BRENNEN NOCH',
      false,
    ],
    ['change_case:english_capital', {}, '12 !', false],
    ['change_case:english_lowercase', {}, 'ok', true],
    [
      'change_case:capital_word_frequency',
      { capital_frequency: 2, capital_relation: 'at least' },
      "I'm in the U.S. now",
      true,
    ],
    ['length_constraints:number_words', { num_words: 4, relation: 'less than' }, "it's naïve", true],
    ['detectable_format:json_format', {}, '```\n[1]\n```', true],
    ['detectable_format:title', {}, '<<<>>', false],
  ])('%s %j %j -> %s', (id, given, response, expected) => {
    expect(follows(id, given, response)).toBe(expected)
  })
})

test('loose: asterisks, a first line and a last line may go', () => {
  const title = (response: string, mode: 'strict' | 'loose') =>
    follows('startend:quotation', {}, response, mode)
  for (const response of [
    'Sure:\n"a"',
    '"a"\nDone.',
    'Sure:\n"a"\nDone.',
    '*"a"*',
    'Sure:\n**"a"**\nDone.',
  ]) {
    expect(title(response, 'strict')).toBe(false)
    expect(title(response, 'loose')).toBe(true)
  }
  expect(title('a\nb\n"c"', 'loose')).toBe(false)
})

test('accuracy over prompts and over instructions', () => {
  expect(instructionAccuracy([[true, false], [true]])).toEqual({ promptLevel: 0.5, instructionLevel: 2 / 3 })
  expect(instructionAccuracy([])).toEqual({ promptLevel: null, instructionLevel: null })
})

test('instructions that cannot be read are not held against the answer', async () => {
  const sample = (reference: unknown, meta: Sample['meta'] = {}): Sample => ({
    id: 'x',
    prompt: '',
    output: 'a',
    reference: reference as never,
    meta,
  })
  const of = (id: string, kwargs: object) => ({ instruction_id_list: [id], kwargs: [kwargs] })
  const scores = await instructions
    .create({})
    .score([
      sample(null),
      sample(of('keywords:existence', {})),
      sample(of('keywords:existence', { keywords: [1] })),
      sample(of('keywords:frequency', { keyword: 'a', frequency: 2, relation: 'about' })),
      sample(of('language:response_language', { language: 'xx' })),
      sample(of('toString', {})),
      sample({ instruction_id_list: ['punctuation:no_comma'], kwargs: [] }),
      sample(undefined, { instruction_id_list: ['punctuation:no_comma'], kwargs: [{ num_words: null }] }),
    ])
  expect(scores.map(({ value }) => value)).toEqual([null, null, null, null, null, null, null, 1])
  expect(scores[3]).toMatchObject({ code: 'bad-input', reason: expect.stringContaining('"relation"') })
})

test('long hostile responses are judged in linear time', () => {
  for (const piece of ['[', '<', '<<', '"', '\n', '* ', '*', '.', '- ', '. ', "''", '***', 'a.b'])
    for (const id of Object.keys(instructionKinds)) {
      const given = {
        keywords: ['x'],
        keyword: 'x',
        frequency: 1,
        relation: 'at least',
        forbidden_words: ['x'],
        letter: 'x',
        let_frequency: 1,
        let_relation: 'at least',
        language: 'en',
        num_sentences: 1,
        num_words: 1,
        num_paragraphs: 1,
        nth_paragraph: 1,
        first_word: 'x',
        num_placeholders: 1,
        postscript_marker: 'P.S.',
        num_bullets: 1,
        num_highlights: 1,
        section_spliter: 'x',
        num_sections: 1,
        prompt_to_repeat: 'x',
        end_phrase: 'x',
        capital_frequency: 1,
        capital_relation: 'at least',
      }
      const start = process.cpuUsage()
      follows(id, given, `${piece.repeat(200_000 / piece.length)}a`)
      expect(process.cpuUsage(start).user / 1000, `${id} on ${piece}`).toBeLessThan(1500)
    }
})
