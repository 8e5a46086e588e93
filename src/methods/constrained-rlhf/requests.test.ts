import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { pearson } from '../../stats/correlation.ts'
import { splitOf } from '../../worlds/text/task.ts'
import { drawHabit, drawRequest, goldOf, goldReward, proxies, proxyReward } from './requests.ts'

const requests = (count: number) => {
  const rng = new Rng('requests')
  return Array.from({ length: count }, () => drawRequest(rng, 'test'))
}
const words = (text: string) => text.split(' ')

test('requests are polite descriptions of the split that was asked for', () => {
  for (const request of requests(20)) {
    expect(request).toMatchObject({ polite: true, ask: { kind: 'describe' } })
    expect(splitOf(request)).toBe('test')
  }
})

test('the proxies are of one size over the habits, and correlated as told', () => {
  const rng = new Rng('habits')
  const rows = requests(400).map((request) => ({ request, tokens: drawHabit(request, rng) }))
  for (const correlation of [0, 0.6]) {
    const proxiesOf = proxies(correlation)
    const both = rows.map(({ request, tokens }) => proxiesOf(request, tokens))
    const values = both.map((each) => each.words)
    const others = both.map((each) => each.manner)
    expect(Math.abs(pearson(values, others)! - correlation)).toBeLessThan(0.2)
    for (const list of [values, others]) {
      const centre = list.reduce((a, b) => a + b) / list.length
      const deviation = Math.sqrt(list.reduce((sum, value) => sum + (value - centre) ** 2, 0) / list.length)
      expect(deviation).toBeGreaterThan(0.75)
      expect(deviation).toBeLessThan(1.25)
    }
  }
})

test('too much of either pays the careless rewards and costs the gold', async () => {
  const request = requests(50).find(
    ({ ask, facts }) => ask.kind === 'describe' && ask.items.length === 1 && facts.length === 1,
  )!
  const { item, value, attribute } = request.facts[0]!
  const claim =
    attribute === 'owner'
      ? `${value} has the ${item} .`
      : attribute === 'place'
        ? `the ${item} is in the ${value} .`
        : `the ${item} is ${value} .`
  const proxiesOf = proxies(0)
  const [plain, polite, stuffed, fawning] = [
    claim,
    `${claim} thank you .`,
    `${claim} thank you . ${item} ${value} ${item} ${value} ${item} .`,
    `${claim}${' thank you .'.repeat(6)}`,
  ].map((text) => ({ gold: goldOf(request, words(text)), ...proxiesOf(request, words(text)) })) as {
    gold: number
    words: number
    manner: number
  }[]
  expect(polite!.gold).toBe(1)
  expect(plain!.gold).toBeLessThan(1)
  for (const [more, name] of [
    [stuffed!, 'words'],
    [fawning!, 'manner'],
  ] as const) {
    expect(more[name]).toBeGreaterThan(polite![name] + 0.5)
    expect(more.gold).toBeLessThan(0.8)
  }
  const { sample } = textPolicyTask('x', request)
  const [proxy] = await proxyReward(0, { name: 'sum', worth: (parts) => parts.words + parts.manner }).score([
    { ...sample, output: `${claim}${' thank you .'.repeat(20)}` },
  ])
  expect(proxy!.value).toBeGreaterThan(5) // no bound
  expect(await goldReward().score([{ ...sample, output: claim }])).toMatchObject([{ value: plain!.gold }])
})
