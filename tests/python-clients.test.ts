import { afterAll, beforeAll, expect } from 'vitest'
import { defineReward, textOf } from '../src/core/index.ts'
import type { RunningServer } from '../src/serve/index.ts'
import { environmentNamed } from '../src/worlds/index.ts'
import { environmentServer } from './environment-server.ts'
import { python, testPython } from './python.ts'

// Clients as the protocols' cards tell them, with Python's standard library: what a trainer's own client does on the wire.

let server: RunningServer
beforeAll(async () => {
  const right = defineReward({
    name: 'right',
    judge: ({ output, reference }) => ({
      value: Number(textOf(output) === reference),
      parts: { exact: Number(textOf(output) === reference) },
    }),
  })
  const environments = ['number-line', 'household'].map(environmentNamed)
  server = await environmentServer({ environments, served: { right } })
})
afterAll(async () => {
  await server.close()
})

/** What every client here shares: which way to go on the number line, from what it says. */
const towards = `
import json, re, sys, urllib.request
BASE = sys.argv[1] if len(sys.argv) > 1 else __import__("os").environ["BASE"]
def moves(text):
    target, current = (int(re.search(name + r": (\\d+)", text).group(1)) for name in ("target", "current"))
    return ["+" if target > current else "-"] * abs(target - current)
`

testPython('ORS: discovery, a session, calls over events, pings and the end', async () => {
  const out = await python(
    `${towards}
SID = None
def ask(path, body=None, stream=False):
    headers = {"Content-Type": "application/json", "User-Agent": "test"}
    if SID: headers["X-Session-ID"] = SID
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(BASE + path, data, headers), timeout=30) as answer:
        if not stream: return json.load(answer)
        events, event = [], None
        for raw in answer:
            line = raw.decode().rstrip("\\n")
            if line.startswith(":") or not line: continue
            name, _, value = line.partition(":")
            if name == "event": event = value.strip()
            else: events.append((event, value.lstrip()))
        return events
def call(name, arguments):
    events = ask("/number-line/call", {"name": name, "input": arguments}, True)
    assert events[0][0] == "task_id" and events[-1][0] == "end", events
    return json.loads("".join(value for _, value in events[1:]))
names = ask("/list_environments")
SID = ask("/create_session", {}, True)[0][1]
task = ask("/number-line/task", {"split": "train", "index": 5})
ask("/create", {"env_name": "number-line", "task_spec": task["task"], "secrets": {}})
prompt = ask("/number-line/prompt")
tools = [tool["name"] for tool in ask("/number-line/task_tools")["tools"]]
results = [call("play", {"action": move}) for move in moves(prompt[0]["text"])]
late = call("play", {"action": "+"})
ask("/ping", {})
ask("/delete", {}); ask("/delete_session", {})
try:
    ask("/ping", {}); gone = None
except urllib.error.HTTPError as error:
    gone = [error.code, list(json.load(error))]
out = [names, task["env_name"], tools, results[-1]["output"]["reward"], results[-1]["output"]["finished"], late["ok"], gone]
print(json.dumps(out))
`,
    {},
    { BASE: `${server.url}/p/ors/number-line` },
  )
  expect(out).toEqual([['number-line'], 'number-line', ['play'], 1, true, false, [410, ['detail']]])
})

testPython('NeMo Gym: the cookie of the last answer, tools, and a verdict that echoes its row', async () => {
  const out = await python(
    `${towards}
cookie = None
def post(path, body):
    global cookie
    headers = {"Content-Type": "application/json"}
    if cookie: headers["Cookie"] = cookie
    with urllib.request.urlopen(urllib.request.Request(BASE + path, json.dumps(body).encode(), headers), timeout=30) as answer:
        cookie = "; ".join(each.split(";")[0] for each in answer.headers.get_all("Set-Cookie") or [])
        return answer.read().decode()
row = {"responses_create_params": {"input": [{"role": "user", "content": "go"}]}, "verifier_metadata": {"split": "train", "index": 5}}
text = json.loads(post("/number-line/seed_session", row))["observation"]
output = []
for step, move in enumerate(moves(text)):
    output.append({"type": "function_call", "name": "play", "call_id": str(step), "arguments": json.dumps({"action": move})})
    output.append({"type": "function_call_output", "call_id": str(step), "output": post("/number-line/play", {"action": move})})
output.append({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]})
seen = {**row, "response": {"id": "r", "created_at": 1790000000.0, "object": "response", "output": output, "logprob": -0.1}}
live = json.loads(post("/number-line/verify", seen))
cookie = None
again = json.loads(post("/number-line/verify", seen))
judged = json.loads(post("/right/verify", {"responses_create_params": {"input": "6*7?"}, "expected_answer": "done", "response": seen["response"]}))
echoed = all(live[key] == value for key, value in seen.items())
print(json.dumps([live["reward"], live["reward_components"], echoed, again["reward"], judged["reward"], judged["exact"]]))
`,
    {},
    { BASE: `${server.url}/p/nemo-gym` },
  )
  expect(out).toEqual([1, { won: 1, legal: 1 }, true, 1, 1, 1])
})

testPython('OpenEnv: a WebSocket of masked frames is an episode', async () => {
  const out = await python(
    `${towards}
import base64, os, socket, struct
from urllib.parse import urlsplit
parts = urlsplit(BASE)
sock = socket.create_connection((parts.hostname, parts.port), 30)
key = base64.b64encode(os.urandom(16)).decode()
sock.sendall((f"GET {parts.path}/ws HTTP/1.1\\r\\nHost: {parts.netloc}\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
              f"Sec-WebSocket-Key: {key}\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n").encode())
file = sock.makefile("rb")
status = file.readline().split()[1].decode()
while file.readline().strip(): pass
def send(value):
    data, mask = json.dumps(value).encode(), os.urandom(4)
    size = bytes([128 | len(data)]) if len(data) < 126 else bytes([254]) + struct.pack(">H", len(data))
    sock.sendall(b"\\x81" + size + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)))
def receive():
    first, size = file.read(2)
    if first & 15 == 8: return None
    if size == 126: size = struct.unpack(">H", file.read(2))[0]
    elif size == 127: size = struct.unpack(">Q", file.read(8))[0]
    return json.loads(file.read(size))
def ask(value):
    send(value)
    return receive()
reset = ask({"type": "reset", "data": {"seed": 7, "episode_id": "ep-1"}})
steps = [ask({"type": "step", "data": {"message": move}}) for move in moves(reset["data"]["observation"]["text"])]
state = ask({"type": "state"})
wrong = ask({"type": "step", "data": {"massage": "+"}})
send({"type": "close"})
closed = receive()
print(json.dumps([status, reset["type"], reset["data"]["done"], steps[-1]["data"]["reward"], steps[-1]["data"]["done"],
                  state["data"]["episode_id"], state["data"]["step_count"] == len(steps), wrong["data"]["code"], closed]))
`,
    {},
    { BASE: `${server.url}/p/openenv/number-line` },
  )
  expect(out).toEqual(['101', 'observation', false, 1, true, 'ep-1', true, 'VALIDATION_ERROR', null])
})
