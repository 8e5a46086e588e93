"""
Chatbot Arena's published way to ratings, written from its description for bench/bradley-terry.ts: distinct outcomes
with counts, L-BFGS-B (gtol 1e-6, 100 iterations) on their weighted log loss in units of log 10, bootstrap by a
multinomial draw of the counts, one process. Reads a JSON line of the votes, then answers each further line with one.
"""
import json
import sys
import time

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

votes = json.loads(sys.stdin.readline())
models, rounds = votes["models"], votes["resamples"]
first, second, values = (np.array(votes[key]) for key in ("a", "b", "values"))
UNIT = np.log(10)


def distinct():
    codes = (first * models + second) * 3 + (2 * values).astype(np.int64)
    cells, counts = np.unique(codes, return_counts=True)
    sides = np.stack([cells // 3 // models, cells // 3 % models], axis=1)
    return sides, (cells % 3) / 2, counts.astype(float)


def fitted(sides, outcomes, weights):
    signs = np.array([[1.0, -1.0]])

    def loss(strengths):
        p = expit(UNIT * (strengths[sides[:, 0]] - strengths[sides[:, 1]]))
        value = -np.sum(weights * (outcomes * np.log(p) + (1 - outcomes) * np.log1p(-p)))
        slopes = np.zeros(models)
        np.add.at(slopes, sides, (-UNIT * weights * (outcomes - p))[:, None] * signs)
        return value, slopes

    start = np.zeros(models)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100, "gtol": 1e-6})
    return 1000 + 400 * found.x


for _ in sys.stdin:
    began = time.process_time()
    sides, outcomes, counts = distinct()
    ratings = fitted(sides, outcomes, counts)
    one = time.process_time()
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(first), counts / counts.sum(), size=rounds) / len(first)
    resampled = [fitted(sides, outcomes, weights) for weights in drawn]
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    ended = time.process_time()
    answer = {
        "fitMs": 1000 * (one - began),
        "totalMs": 1000 * (ended - began),
        "ratings": ratings.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }
    print(json.dumps(answer), flush=True)
