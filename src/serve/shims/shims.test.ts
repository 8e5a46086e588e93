import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environmentServer } from '../../../tests/environment-server.ts'
import { python, testPython } from '../../../tests/python.ts'
import { defineReward, imagesOf, promptText, textOf, unscored } from '../../core/index.ts'
import { environmentNamed } from '../../worlds/environments.ts'
import { protocols } from '../protocols/registry.ts'
import type { RunningServer } from '../server.ts'
import { shimNames, shimSource } from './shims.ts'

/** Says in its value what it was asked, and has every way not to give one. */
const probe = defineReward({
  name: 'probe',
  range: [-10, 10],
  judge: ({ prompt, output, reference, meta }) => {
    const text = textOf(output)
    if (text === 'none') return unscored('not-applicable', 'does not apply')
    if (text === 'outage') return unscored('outage', 'is down')
    const parts = {
      right: Number(text === String(reference)),
      images: imagesOf(prompt).filter((image) => 'url' in image || 'bytes' in image).length,
      easy: meta.level === 'easy' ? 1 : 0,
      asked: Number(promptText(prompt).includes('2+2')),
    }
    return text === 'bare' ? { value: 0.5 } : { value: parts.right, parts }
  },
})

let server: RunningServer
beforeAll(async () => {
  server = await environmentServer({
    served: { probe },
    environments: [environmentNamed('number-line')],
    protocols,
  })
})
afterAll(async () => {
  await server.close()
})

const shim = (trainer: string, parts?: readonly string[]) => ({
  'shim.py': shimSource(trainer, { url: server.url, reward: 'probe', ...(parts ? { parts } : {}) }),
})
const print = 'print(json.dumps(out))'

describe('TRL', () => {
  testPython('batches with columns; None is kept; messages, images and callbacks', async () => {
    const out = await python(
      `
import asyncio, inspect, json
from shim import guerdon_reward
assert inspect.iscoroutinefunction(guerdon_reward)
logged = {}
class State: pass
plain = asyncio.run(guerdon_reward(
    prompts=["2+2?"] * 4, completions=["4", "5", "none", "bare"], completion_ids=[[1]] * 4, solution=["4"] * 4,
    level=["easy", "easy", "hard", None], trainer_state=State(), log_extra=print,
    log_metric=lambda name, value: logged.__setitem__(name, value), environments=[State()] * 4))
png = b"\\x89PNG\\r\\n\\x1a\\n"
chat = asyncio.run(guerdon_reward(
    prompts=[[{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "2+2?"}]}]],
    completions=[[{"role": "assistant", "content": "4"}]], solution=["4"], images=[[{"bytes": png, "path": None}]],
    log_metric=lambda name, value: logged.__setitem__("chat " + name, value)))
empty = asyncio.run(guerdon_reward(prompts=[], completions=[]))
out = [plain, chat, empty, logged]
${print}
`,
      shim('trl'),
    )
    const [plain, chat, empty, logged] = out
    expect(plain).toEqual([1, 0, null, 0.5])
    expect([chat, empty]).toEqual([[1], []])
    expect(logged).toMatchObject({
      'guerdon/right': 0.5,
      'guerdon/easy': 1,
      'guerdon/unscored': 0.25,
      'chat guerdon/images': 1,
      'chat guerdon/asked': 1,
    })
  })
})

describe('verl', () => {
  testPython('one sample a call: a dict with constant keys', async () => {
    const out = await python(
      `
import asyncio, json, os
from shim import GuerdonError, compute_score, compute_score_async
extra = {"question": "2+2?", "level": "easy", "num_turns": 1, "tool": object()}
def ask(text, **more):
    return compute_score(data_source="d", solution_str=text, ground_truth="4", extra_info=extra, **more)
here = {"guerdon_url": os.environ["HERE"]}
out = [ask("4", **here), ask("bare", guerdon_unscored_as=0, **here), ask("none", guerdon_unscored_as=-1, **here),
       asyncio.run(compute_score_async("d", "4", "4", {}, **here)), ask("4", guerdon_parts="right", **here)]
# A missing part is no 0 unless that was said; the keyword wins over the variable, the variable over what is written in the file.
for text, given in (("bare", here), ("none", here), ("none", {})):
    try:
        ask(text, **given)
    except GuerdonError as error:
        out.append(str(error)[:40])
${print}
`,
      shim('verl'),
      { HERE: server.url, GUERDON_URL: 'http://127.0.0.1:9', GUERDON_ATTEMPTS: '1' },
    )
    expect(out).toEqual([
      { score: 1, unscored: 0, asked: 1, easy: 1, images: 0, right: 1 },
      { score: 0.5, unscored: 0, asked: 0, easy: 0, images: 0, right: 0 },
      { score: -1, unscored: 1, asked: -1, easy: -1, images: -1, right: -1 },
      { score: 1, unscored: 0, asked: 0, easy: 0, images: 0, right: 1 },
      { score: 1, unscored: 0, right: 1 },
      'the score has no asked, easy, images, ri',
      'not-applicable: does not apply',
      'guerdon at http://127.0.0.1:9/p/guerdon/',
    ])
  })
})

describe('ms-swift', () => {
  testPython('a plugin that registers itself; None is kept; an environment', async () => {
    const out = await python(
      `
import asyncio, json
from shim import envs, orms
orm = orms["guerdon"]()
out = [asyncio.run(orm(["4", "none"], messages=[[{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]] * 2,
    solution=["4", "4"], level=["easy", None], prompt_id=["a", "a"], trainer_state=object()))]
async def play():
    env = envs["guerdon"]({})
    observation, info, system = await env.reset({"data_dict": {"split": "train", "index": 3}})
    words = observation.split()
    target, current = int(words[words.index("target:") + 1]), int(words[words.index("current:") + 1])
    move = "+" if target > current else "-"
    for step in range(abs(target - current)):
        observation, reward, done, info = await env.step([{"role": "assistant", "content": move}])
    await env.close()
    return [reward, done, info["episode_reward"]]
out.append(asyncio.run(play()))
${print}
`,
      shim('ms-swift'),
      { GUERDON_ENVIRONMENT: 'number-line' },
    )
    expect(out).toEqual([
      [1, null],
      [1, true, 1],
    ])
  })
})

describe('OpenRLHF', () => {
  testPython('the three keys of a reward function; an agent that steps an environment', async () => {
    const out = await python(
      `
import asyncio, json
from shim import AgentInstance, reward_func
out = [reward_func(["2+2?4"], ["2+2?"], ["4"], more=1), reward_func([], [], [])]
async def play():
    agent = AgentInstance()
    state = await agent.reset({"observation": "<user>", "label": '{"split": "train", "index": 3}'})
    step = await agent.step({"observation_text": "", "action_text": "fly", "label": None, "sampling_params": None})
    return [state["observation"][:6], step["rewards"], step["done"], sorted(step["extra_logs"])]
out.append(asyncio.run(play()))
${print}
`,
      shim('openrlhf'),
      { GUERDON_ENVIRONMENT: 'number-line' },
    )
    expect(out[0]).toMatchObject({ rewards: [1], extra_logs: { right: [1] } })
    expect(out[0].scores[0]).toBeCloseTo(11 / 20)
    expect(out[1].rewards).toEqual([])
    expect(out[2]).toEqual(['<user>', -1, false, ['legal', 'won']])
  })
})

describe('verifiers', () => {
  testPython('a function for each part; a rollout is judged once; a missing score is raised', async () => {
    const out = await python(
      `
import asyncio, json, shim
asked = []
score = shim.score
shim.score = lambda *given: asked.append(1) or score(*given)
async def judged(text):
    state = {}
    given = dict(prompt=[{"role": "user", "content": "2+2?"}], completion=[{"role": "assistant", "content": text}],
                 answer="4", info={"level": "easy"}, state=state)
    values = await asyncio.gather(shim.guerdon_reward(**given), *[metric(**given) for metric in shim.METRICS],
                                  return_exceptions=True)
    return [value if isinstance(value, float) else str(value) for value in values]
out = [asyncio.run(judged("4")), [metric.__name__ for metric in shim.METRICS], asyncio.run(judged("none")), len(asked)]
${print}
`,
      shim('verifiers', ['right', 'easy', 'class', 'right!']),
    )
    const [scored, names, failed, asked] = out
    expect(names).toEqual(['right', 'easy', 'part_class', 'right_'])
    expect(scored).toEqual([1, 1, 1, 'this rollout has no class', 'this rollout has no right!'])
    expect(failed[0]).toBe('not-applicable: does not apply')
    expect(asked).toBe(2)
  })
})

describe('a server that fails', () => {
  let flaky: Server
  let asked: { url: string; key: string | undefined; body: any }[] = []
  let answers: ((request: IncomingMessage, response: ServerResponse) => void)[] = []
  beforeAll(async () => {
    flaky = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        asked.push({
          url: request.url!,
          key: request.headers['idempotency-key'] as string,
          body: JSON.parse(body),
        })
        answers.shift()!(request, response)
      })
    })
    await new Promise<void>((resolve) => flaky.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => flaky.close())
  const address = () => `http://127.0.0.1:${(flaky.address() as AddressInfo).port}/t/secret`
  const reply = (status: number, body: object) => (_: IncomingMessage, response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const value = (value: number | null, code?: string) => ({ value, ...(code ? { code, reason: '' } : {}) })
  const run = (script: string, variables: Record<string, string> = {}) =>
    python(
      `import json, time\nfrom shim import GuerdonError, score\n${script}\n${print}`,
      {
        'shim.py': shimSource('trl', { url: address(), reward: 'a/b' }),
      },
      variables,
    )

  testPython('overload, a broken connection and silence are tried again under one key', async () => {
    asked = []
    answers = [
      reply(503, { error: 'busy' }),
      (request) => request.socket.destroy(),
      () => {}, // no answer at all
      reply(200, { scores: [value(1)] }),
    ]
    expect(await run('out = score(["p"], ["c"], {})', { GUERDON_TIMEOUT: '0.5' })).toEqual([value(1)])
    expect(asked).toHaveLength(4)
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1)
    expect(asked[0]!.url).toBe('/t/secret/p/guerdon/a%2Fb/v1/score')
  })

  testPython('a refusal is not, and says why; attempts end', async () => {
    asked = []
    answers = [reply(400, { error: { code: 'bad-body' } }), reply(503, {}), reply(503, {})]
    const out = await run(
      `
out = []
for attempt in range(2):
    try:
        score(["p"], ["c"], {})
    except GuerdonError as error:
        out.append(str(error))
`,
      { GUERDON_ATTEMPTS: '2' },
    )
    expect(out[0]).toContain('refused')
    expect(out[0]).toContain('bad-body')
    expect(out[1]).toContain('in 2 attempts: 503')
    expect(asked).toHaveLength(3)
  })

  testPython('samples whose failure may pass are asked again, and only those', async () => {
    asked = []
    answers = [
      reply(200, { scores: [value(1), value(null, 'outage'), value(null, 'not-applicable')] }),
      reply(200, { scores: [value(0.5)] }),
    ]
    const out = await run('out = score(None, ["a", "b", "c"], {"x": [1, 2, 3]})')
    expect(out.map((each: any) => each.value)).toEqual([1, 0.5, null])
    expect(asked[1]!.body).toEqual({ completions: ['b'], columns: { x: [2] } })
    expect(asked[1]!.key).not.toBe(asked[0]!.key)
  })
})

test('every shim says whom it is for and holds no mark; others are refused by name', () => {
  for (const name of shimNames) {
    const source = shimSource(name, { reward: 'a"b\\😀' })
    expect(source).toContain(`guerdon shim ${name}`)
    expect(source).not.toMatch(/@(URL|REWARD|PARTS)@/)
    expect(source).toContain('"a\\"b\\\\\\U0001f600"')
  }
  expect(() => shimSource('verll', { reward: 'a' })).toThrow('Did you mean "verl"?')
})
