/** TRL: reward functions of GRPO and RLOO. */
export const trlPython = `
# TRL: GRPOTrainer(reward_funcs=[guerdon_reward]); its name in the logs is rewards/guerdon_reward.

_NOT_COLUMNS = ("completion_ids", "trainer_state", "log_extra", "log_metric", "environments", "images", "image")


def _with_images(prompt, images):
    """A prompt with its images where it only marks their places; TRL keeps them in a column of their own."""
    images = [_plain(image) for image in images if image is not None]
    if not images:
        return prompt
    as_part = lambda url: {"type": "image_url", "image_url": {"url": url}}
    if isinstance(prompt, str):
        return [*map(as_part, images), {"type": "text", "text": prompt}]
    left = iter(images)
    filled = []
    for message in prompt:
        content = message.get("content")
        if isinstance(content, list):
            content = [
                as_part(next(left)) if part.get("type") == "image" and not set(part) - {"type", "text"} else part
                for part in content
            ]
        filled.append({**message, "content": content})
    return filled


async def guerdon_reward(prompts, completions, **columns):
    count = len(completions)
    images = columns.get("images") or columns.get("image") or [None] * count
    prompts = [
        _with_images(_plain(prompt), given if isinstance(given, (list, tuple)) else [given])
        for prompt, given in zip(prompts, images)
    ]
    completions = [_plain(completion) for completion in completions]
    kept = _columns(columns, count, _NOT_COLUMNS)
    scores = await asyncio.to_thread(score, prompts, completions, kept)
    log_metric = columns.get("log_metric")
    if callable(log_metric):
        for name in sorted({name for each in scores for name in each.get("parts") or {}}):
            values = [_number(each["parts"][name]) for each in scores if (each.get("parts") or {}).get(name) is not None]
            if values:
                log_metric(f"guerdon/{name}", sum(values) / len(values))
        log_metric("guerdon/unscored", sum(each["value"] is None for each in scores) / max(1, count))
    # None: the reward does not speak of this row, which is not 0.
    return [_number(each["value"]) for each in scores]
`

/** verl: `reward.custom_reward_function`. */
export const verlPython = `
# verl: reward.custom_reward_function.path=THIS_FILE reward.custom_reward_function.name=compute_score
# +reward.custom_reward_function.reward_kwargs.guerdon_url=http://...   (also guerdon_reward, guerdon_unscored_as, guerdon_parts)
# The server makes batches of the single samples that verl asks about.

UNSCORED_AS = os.environ.get("GUERDON_UNSCORED_AS")  # verl knows numbers only; without this a missing score is an error
_keys = {}
_keys_lock = threading.Lock()


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    """verl takes the columns of the first sample for those of all, so that the keys never change once they are known."""
    reward = kwargs.get("guerdon_reward") or REWARD
    unscored_as = kwargs.get("guerdon_unscored_as", UNSCORED_AS)
    info = dict(extra_info or {})
    prompt = info.pop("prompt", None) or info.get("question") or ""
    columns = {"data_source": [data_source], "ground_truth": [_plain(ground_truth)]}
    for name, value in info.items():
        if name not in columns:
            columns.update(_columns({name: [value]}, 1))
    scores = score([_plain(prompt)], [solution_str], columns, kwargs.get("guerdon_url"), reward)
    value, parts = _number(scores[0]["value"]), scores[0].get("parts") or {}
    if value is None and unscored_as is None:
        raise GuerdonError(f"{scores[0].get('code')}: {scores[0].get('reason')}")
    known = kwargs.get("guerdon_parts")
    if known is not None:
        names = tuple(known.split(",") if isinstance(known, str) else known)
    else:
        with _keys_lock:
            names = _keys.setdefault(reward, tuple(sorted(name for name in parts if name not in ("score", "unscored"))))
    flat = {name: _number(parts.get(name)) for name in names}
    lacking = [name for name, part in flat.items() if part is None]
    if lacking and unscored_as is None:
        raise GuerdonError(f"the score has no {', '.join(lacking)}: set guerdon_unscored_as, or guerdon_parts to those that all have")
    return {
        "score": float(unscored_as) if value is None else value,
        "unscored": 0.0 if value is not None else 1.0,
        **{name: float(unscored_as) if part is None else part for name, part in flat.items()},
    }


async def compute_score_async(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    return await asyncio.to_thread(compute_score, data_source, solution_str, ground_truth, extra_info, **kwargs)
`

/** A client of environments, for trainers that step them: the Gymnasium routes of NeMo Gym, a cookie for a session. */
export const environmentPython = `

ENVIRONMENT = os.environ.get("GUERDON_ENVIRONMENT", "")


class Episode:
    """One episode of an environment that guerdon serves: reset with a task, then step with what the policy wrote."""

    def __init__(self, environment=None, url=None):
        self._base = f"{(url or URL).rstrip('/')}/p/nemo-gym/{quote(environment or ENVIRONMENT, safe='')}"
        self._cookie = None

    def reset(self, task):
        return self._ask("/reset", {"task": _plain(task)})

    def step(self, text):
        message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
        return self._ask("/step", {"response": {"output": [message]}})

    def _ask(self, path, body):
        # Sent again after a lost answer, a step is not taken twice: it has the same idempotency key.
        answer, cookies = _post(self._base + path, body, {"Cookie": self._cookie} if self._cookie else None)
        if cookies:
            self._cookie = cookies[-1].split(";")[0]
        return answer
`

/** ms-swift: `--external_plugins`. */
export const msSwiftPython = `
# ms-swift: swift rlhf --external_plugins THIS_FILE --reward_funcs guerdon
# With an environment: --use_gym_env true --gym_env guerdon, rows with "split" and "index", GUERDON_ENVIRONMENT=name

try:
    from swift.rewards import AsyncORM, orms
except ImportError:
    try:
        from swift.plugin import orms

        AsyncORM = object
    except ImportError:  # outside of ms-swift
        AsyncORM, orms = object, {}
try:
    from swift.rollout.gym_env import Env, envs
except ImportError:
    Env, envs = object, {}

_NOT_COLUMNS = ("messages", "trainer_state", "response_token_ids", "trajectory_inputs", "rollout_infos")


class GuerdonORM(AsyncORM):
    def __init__(self, args=None, **kwargs):
        if AsyncORM is not object:
            super().__init__(args, **kwargs)

    async def __call__(self, completions, **columns):
        count = len(completions)
        messages = columns.get("messages") or [[] for _ in completions]
        # What stands before the last assistant message is the prompt.
        prompts = [_plain(list(each)[:-1] if each and each[-1].get("role") == "assistant" else list(each)) for each in messages]
        kept = _columns(columns, count, _NOT_COLUMNS)
        scores = await asyncio.to_thread(score, prompts, list(completions), kept)
        return [_number(each["value"]) for each in scores]


orms["guerdon"] = GuerdonORM


class GuerdonEnv(Env):
    def __init__(self, env_config=None):
        if Env is not object:
            super().__init__(env_config)
        self._episode = Episode((env_config or {}).get("environment"))

    async def reset(self, config):
        row = config if isinstance(config, dict) else vars(config)
        row = row.get("data_dict") or row
        task = {"split": row["split"], "index": row["index"], **({"seed": row["seed"]} if "seed" in row else {})}
        answer = await asyncio.to_thread(self._episode.reset, task)
        return answer["observation"], answer["info"], None

    async def step(self, messages):
        answer = await asyncio.to_thread(self._episode.step, messages[-1]["content"])
        done = answer["terminated"] or answer["truncated"]
        return answer["observation"], answer["reward"], done, answer["info"]

    async def close(self):
        pass


envs["guerdon"] = GuerdonEnv
`

/** OpenRLHF: a file instead of the URL of a remote reward model, and an agent. */
export const openrlhfPython = String.raw`
# OpenRLHF: --reward.remote_url THIS_FILE (its own server protocol needs no file: http://.../p/openrlhf/NAME/get_reward)
# With an environment: --train.agent_func_path THIS_FILE, labels like '{"split": "train", "index": 3}', GUERDON_ENVIRONMENT=name

try:
    import torch
except ImportError:  # outside of OpenRLHF
    torch = None


def _tensors(value):
    return value if torch is None else torch.tensor(value, dtype=torch.float32)


def reward_func(queries, prompts, labels, **kwargs):
    target = f"{URL.rstrip('/')}/p/openrlhf/{quote(REWARD, safe='')}/get_reward"
    answer, _ = _post(target, {"query": list(queries), "prompts": list(prompts), "labels": _plain(list(labels))})
    return {
        "rewards": _tensors(answer["rewards"]),
        "scores": _tensors(answer.get("scores") or answer["rewards"]),
        "extra_logs": {name: _tensors(values) for name, values in (answer.get("extra_logs") or {}).items()},
    }


class AgentInstance:
    """One rollout in an environment; the label names its task."""

    async def reset(self, states, **kwargs):
        label = states["label"]
        task = json.loads(label) if isinstance(label, str) else label
        self._episode = Episode(task.get("environment"))
        answer = await asyncio.to_thread(self._episode.reset, task)
        return {"observation": states["observation"] + (answer["observation"] or "")}

    async def step(self, states, **kwargs):
        answer = await asyncio.to_thread(self._episode.step, states["action_text"])
        done = answer["terminated"] or answer["truncated"]
        parts = {name: float(value or 0) for name, value in (answer["info"].get("parts") or {}).items()}
        return {
            "rewards": _tensors(answer["reward"]),
            "scores": _tensors(answer["info"].get("episode_reward") or 0.0),
            "environment_feedback": "\n" + (answer["observation"] or "") + "\n",
            "done": done,
            "extra_logs": {name: _tensors(value) for name, value in parts.items()},
        }


try:
    from openrlhf.utils.agent import MultiTurnAgentExecutor

    class AgentExecutor(MultiTurnAgentExecutor):
        def __init__(self):
            super().__init__(AgentInstance)

except ImportError:
    pass
`

/** verifiers: reward functions of a classic Rubric, one for each part. */
export const verifiersPython = `
# verifiers: env = vf.SingleTurnEnv(dataset=..., rubric=rubric())
# A rollout is judged once, whatever the number of functions. An error is raised, and verifiers makes 0 of it: look at "error".


async def _score_of(prompt, completion, answer, info, state):
    kept = state.get("guerdon_score") if isinstance(state, dict) else None
    if kept is None:
        given = info if isinstance(info, dict) else {}
        columns = _columns({name: [value] for name, value in given.items()}, 1)
        if answer not in (None, ""):
            columns["answer"] = [_plain(answer)]
        kept = asyncio.ensure_future(asyncio.to_thread(_ask, _plain(prompt), _plain(completion), columns))
        if isinstance(state, dict):
            state["guerdon_score"] = kept
    if asyncio.isfuture(kept):
        kept = await kept
        if isinstance(state, dict):
            state["guerdon_score"] = kept
    return kept


def _ask(prompt, completion, columns):
    return score([prompt], [completion], columns)[0]


async def guerdon_reward(prompt, completion, answer="", info=None, state=None):
    each = await _score_of(prompt, completion, answer, info, state)
    if each["value"] is None:
        raise GuerdonError(f"{each.get('code')}: {each.get('reason')}")
    return _number(each["value"])


async def _part(name, prompt, completion, answer, info, state):
    each = await _score_of(prompt, completion, answer, info, state)
    value = _number((each.get("parts") or {}).get(name))
    if value is None:
        raise GuerdonError(f"this rollout has no {name}")
    return value

@PARTS@

def rubric():
    import verifiers as vf

    made = vf.Rubric(funcs=[guerdon_reward], weights=[1.0])
    for metric in METRICS:
        made.add_metric(metric)
    return made
`
