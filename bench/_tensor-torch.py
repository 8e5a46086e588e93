"""The decoder step of bench/tensor.ts in PyTorch: one step per line read, its milliseconds (clock, processors) written."""
import math
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)
WIDTH, HEADS, LAYERS, VOCABULARY, LENGTH, BATCH, INNER = 128, 4, 4, 256, 96, 16, 512


def parameter(*shape):
    return torch.nn.Parameter((torch.rand(*shape) * 2 - 1) * 0.05)


top = dict(
    embedding=parameter(VOCABULARY, WIDTH), positions=parameter(LENGTH, WIDTH), output=parameter(WIDTH, VOCABULARY)
)
layers = [
    dict(
        qkv=parameter(WIDTH, 3 * WIDTH), o=parameter(WIDTH, WIDTH), w1=parameter(WIDTH, INNER), w2=parameter(INNER, WIDTH)
    )
    for _ in range(LAYERS)
]
parameters = [*top.values(), *(w for layer in layers for w in layer.values())]
hot = torch.zeros(BATCH * LENGTH, VOCABULARY)
hot[torch.arange(BATCH * LENGTH), torch.arange(BATCH * LENGTH) * 7 % VOCABULARY] = 1
hot = hot.view(BATCH, LENGTH, VOCABULARY)
visible = torch.tril(torch.ones(LENGTH, LENGTH)).bool()


def standardise(x):
    return F.layer_norm(x, (WIDTH,))


def forward():
    x = hot @ top["embedding"] + top["positions"]
    for layer in layers:
        joined = (standardise(x) @ layer["qkv"]).view(BATCH, LENGTH, 3, HEADS, WIDTH // HEADS)
        q, k, v = joined.permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-1, -2)) / math.sqrt(WIDTH // HEADS)
        seen = scores.masked_fill(~visible, -1e9).softmax(-1) @ v
        x = x + seen.transpose(1, 2).reshape(BATCH, LENGTH, WIDTH) @ layer["o"]
        x = x + F.gelu(standardise(x) @ layer["w1"], approximate="tanh") @ layer["w2"]
    return standardise(x) @ top["output"]


def step():
    loss = -(forward().log_softmax(-1) * hot).sum() / (BATCH * LENGTH)
    for p in parameters:
        p.grad = None
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p -= 0.1 * p.grad
    return float(loss)


print(torch.__version__, flush=True)
for _ in sys.stdin:
    started, spent = time.perf_counter(), time.process_time()
    step()
    print((time.perf_counter() - started) * 1e3, (time.process_time() - spent) * 1e3, flush=True)
