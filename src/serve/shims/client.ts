/** What every shim begins with: a client of `/v1/score` with the standard library alone. */
export const clientPython = String.raw`import asyncio
import base64
import http.client
import io
import json
import math
import os
import random
import threading
import time
import uuid
from urllib.parse import quote, urlsplit

URL = os.environ.get("GUERDON_URL", @URL@)
REWARD = os.environ.get("GUERDON_REWARD", @REWARD@)
TOKEN = os.environ.get("GUERDON_TOKEN")
TIMEOUT = float(os.environ.get("GUERDON_TIMEOUT", "180"))  # seconds that one request may take
ATTEMPTS = int(os.environ.get("GUERDON_ATTEMPTS", "5"))  # of a request, and of samples that may be judged when tried again
BATCH = int(os.environ.get("GUERDON_BATCH", "512"))  # samples in one request


class GuerdonError(RuntimeError):
    """The server refused a request, or could not be reached in all attempts."""


_RETRY_STATUS = (429, 502, 503, 504)
_RETRY_CODES = ("timeout", "memory", "crashed", "outage", "cancelled")
_local = threading.local()


def _connection(parts):
    key = (parts.scheme, parts.netloc)
    kept = getattr(_local, "kept", None)
    if kept is None:
        kept = _local.kept = {}
    if key not in kept:
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        kept[key] = kind(parts.hostname, parts.port, timeout=TIMEOUT)
    return key, kept


def _post(url, body, headers=None):
    """The JSON answer of a POST and its cookies. What may pass is tried again, under one idempotency key."""
    parts = urlsplit(url)
    data = json.dumps(body, allow_nan=False).encode()
    sent = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex, **(headers or {})}
    if TOKEN:
        sent["Authorization"] = "Bearer " + TOKEN
    failure = None
    for attempt in range(ATTEMPTS):
        if failure:
            time.sleep(min(failure[1] or 0.25 * 2**attempt * (0.5 + random.random()), 30))
        key, kept = _connection(parts)
        reused = kept[key].sock is not None
        try:
            kept[key].request("POST", parts.path, data, sent)
            answer = kept[key].getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            kept.pop(key).close()
            # A kept connection that the server has closed meanwhile is no failure yet.
            stale = reused and isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError))
            failure = None if stale and failure is None else (f"{type(error).__name__}: {error}", None)
            continue
        if answer.status == 200:
            return json.loads(text), answer.headers.get_all("Set-Cookie") or []
        said = f"{answer.status} {text[:500].decode(errors='replace')}"
        if answer.status not in _RETRY_STATUS:
            raise GuerdonError(f"guerdon refused {url}: {said}")
        wait = answer.headers.get("Retry-After")
        failure = (said, float(wait) if wait and wait.isdigit() else None)
    raise GuerdonError(f"guerdon at {url} did not answer in {ATTEMPTS} attempts: {failure and failure[0]}")


class _NotJson(TypeError):
    pass


def _plain(value):
    """A value as JSON: numbers of NumPy and torch, images of Pillow and of data sets; NaN is null."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray)):
        return _data_url(bytes(value))
    if isinstance(value, dict):
        if isinstance(value.get("bytes"), (bytes, bytearray)):  # an image as Hugging Face data sets keep it
            return _data_url(bytes(value["bytes"]))
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "save") and hasattr(value, "mode") and hasattr(value, "size"):  # Pillow
        buffer = io.BytesIO()
        value.save(buffer, format="PNG")
        return _data_url(buffer.getvalue())
    for method in ("item", "tolist"):
        if hasattr(value, method):
            try:
                return _plain(getattr(value, method)())
            except (ValueError, TypeError, RuntimeError):
                continue
    raise _NotJson(type(value).__name__)


_KINDS = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp"))


def _data_url(data):
    kind = next((name for start, name in _KINDS if data.startswith(start)), "png")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _columns(columns, count, leave_out=()):
    """Columns that JSON can say, one item for each sample; callbacks and trainer objects are left out."""
    kept = {}
    for name, values in columns.items():
        if name in leave_out or not isinstance(values, (list, tuple)) or len(values) != count:
            continue
        try:
            kept[name] = [_plain(value) for value in values]
        except _NotJson:
            continue
    return kept


def score(prompts, completions, columns=None, url=None, reward=None):
    """One score a completion, in order: {"value": number or None, "parts": {...}, "code": ..., "reason": ...}."""
    target = f"{(url or URL).rstrip('/')}/p/guerdon/{quote(reward or REWARD, safe='')}/v1/score"
    scores = [None] * len(completions)

    def ask(indices):
        body = {"completions": [completions[i] for i in indices]}
        if prompts is not None:
            body["prompts"] = [prompts[i] for i in indices]
        if columns:
            body["columns"] = {name: [values[i] for i in indices] for name, values in columns.items()}
        answer, _ = _post(target, body)
        for i, each in zip(indices, answer["scores"]):
            scores[i] = each

    waiting = list(range(len(completions)))
    for attempt in range(ATTEMPTS):
        if not waiting:
            break
        if attempt:
            time.sleep(min(0.25 * 2**attempt, 10))
        for start in range(0, len(waiting), BATCH):
            ask(waiting[start : start + BATCH])
        waiting = [i for i in waiting if scores[i]["value"] is None and scores[i].get("code") in _RETRY_CODES]
    return scores


def _number(value):
    """A finite number; booleans are 0 and 1."""
    return float(value) if value is not None and math.isfinite(value) else None
`
