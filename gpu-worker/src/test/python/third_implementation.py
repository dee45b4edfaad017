"""A third implementation of docs/numerics.md, written from that page and docs/conformance.md alone, in numpy, which has no
fused multiply-add: it shows that the two pages suffice, and that the golden vectors are theirs and not the Java code's.

usage: third_implementation.py FOLDER PAGE

FOLDER holds ops.jsonl, steps.json and bert.json, PAGE is docs/numerics.md, whose tables are read. Prints what differs and a count; ends with status 1 if anything does.
"""

import hashlib
import json
import math
import re
import sys
from pathlib import Path

import numpy as np

F = np.float32
D = np.float64
np.seterr(all="ignore")


class NonFinite(Exception):
    """NaN or infinity: the op and the index that an error names."""

    def __init__(self, op, index):
        super().__init__(op, int(index))
        self.op, self.index = op, int(index)


def check(op, values):
    """The first element that is no number is an error."""
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise NonFinite(op, bad[0])
    return values


# Arithmetic


def fma(a, b, c):
    """a * b + c with one rounding to binary32: the product is exact in binary64, the sum is rounded to odd there, and what is
    rounded to odd with so many digits more rounds on as the exact sum would."""
    product = np.asarray(a, F).astype(D) * np.asarray(b, F).astype(D)
    addend = np.asarray(c, F).astype(D)
    total = product + addend
    other = total - product
    error = (product - (total - other)) + (addend - other)
    inexact = np.isfinite(total) & (error != 0) & ((np.asarray(total).view(np.int64) & 1) == 0)
    return np.where(inexact, np.nextafter(total, np.where(error > 0, np.inf, -np.inf)), total).astype(F)


# Sums. The summed axis is the last one; the others are independent results.


def padded(x, block):
    """(..., blocks, block), filled up with +0, which changes no chain that begins at +0 but for the sign of a zero."""
    n = x.shape[-1]
    blocks = max(1, -(-n // block))
    out = np.zeros(x.shape[:-1] + (blocks * block,), F)
    out[..., :n] = x
    return out.reshape(x.shape[:-1] + (blocks, block))


def chain_of_products(a, b):
    """Ascending over the last axis."""
    a, b = np.broadcast_arrays(a, b)
    s = np.zeros(a.shape[:-1], F)
    for i in range(a.shape[-1]):
        s = fma(a[..., i], b[..., i], s)
    return s


def chain_sum(x):
    s = np.zeros(x.shape[:-1], F)
    for i in range(x.shape[-1]):
        s = s + x[..., i]
    return s


def ascending(chains):
    total = chains[..., 0]
    for i in range(1, chains.shape[-1]):
        total = total + chains[..., i]
    return total


def dot(a, b, block=512):
    """The block dot, or with 1024 the split dot."""
    a, b = np.broadcast_arrays(a, b)
    whole = a.shape[-1] // block * block
    parts = []
    if whole:
        shape = a.shape[:-1] + (-1, block)
        parts.append(chain_of_products(a[..., :whole].reshape(shape), b[..., :whole].reshape(shape)))
    if whole < a.shape[-1]:
        parts.append(chain_of_products(a[..., whole:], b[..., whole:])[..., None])
    return ascending(np.concatenate(parts, axis=-1))


def block_sum(x, block=512):
    return ascending(chain_sum(padded(x, block)))


def halved(lanes):
    h = 128
    while h:
        lanes = lanes[..., :h] + lanes[..., h : 2 * h]
        h //= 2
    return lanes[..., 0]


def lane_sum(x):
    groups = padded(x, 256)
    lanes = np.zeros(x.shape[:-1] + (256,), F)
    for i in range(groups.shape[-2]):
        lanes = lanes + groups[..., i, :]
    return halved(lanes)


def lane_dot(a, b):
    a, b = padded(a, 256), padded(b, 256)
    lanes = np.zeros(a.shape[:-2] + (256,), F)
    for i in range(a.shape[-2]):
        lanes = fma(a[..., i, :], b[..., i, :], lanes)
    return halved(lanes)


# Elementary functions, their coefficients read from the page.


def coefficients(page):
    table = {}
    for name, value in re.findall(r"^\| `([A-Z0-9_]+)` \| `(-?0x[0-9a-fp.+-]+)` \|", page, re.M):
        table[name] = F(float.fromhex(value))
    return table


C = {}


def polynomial(name, x):
    count = sum(1 for key in C if re.fullmatch(name + r"_\d+", key))
    y = C[f"{name}_{count - 1}"]
    for i in range(count - 2, -1, -1):
        y = fma(y, x, C[f"{name}_{i}"])
    return y


def power_of_two(n):
    return np.ldexp(F(1), n).astype(F)


def exp(x):
    x = np.minimum(np.maximum(x, C["EXP_MIN"]), C["EXP_MAX"])
    t = fma(x, C["LOG2_E"], C["ROUNDER"])
    n = t - C["ROUNDER"]
    r = fma(n, -C["LN2_LOW"], fma(n, -C["LN2_HIGH"], x))
    y = fma(polynomial("EXP", r), r * r, r) + F(1)
    n = n.astype(np.int32)
    return y * power_of_two(n >> 1) * power_of_two(n - (n >> 1))


def log(x):
    x = np.asarray(x, F)
    small = x < F(2.0**-126)
    bits = np.where(small, x * F(2**23), x).astype(F).view(np.int32)
    shift = (bits - C["ROOT_HALF"].view(np.int32)) >> 23
    e = (shift - np.where(small, 23, 0)).astype(F)
    f = (bits - (shift << 23)).astype(np.int32).view(F) - F(1)
    s = f * f
    y = fma(polynomial("LOG", f) * s, f, e * C["LN2_LOW"])
    y = fma(F(-0.5), s, y) + f
    return fma(e, C["LN2_HIGH"], y)


def tanh(x):
    s = x * x
    small = fma(polynomial("TANH", s) * s, x, x)
    c = np.minimum(np.abs(x), F(16))
    large = F(1) - F(2) / (exp(c + c) + F(1))
    return np.where(np.abs(x) < C["TANH_SMALL"], small, np.where(x < 0, -large, large))


def erf(x):
    small = fma(polynomial("ERF", x * x), x, x)
    t = np.minimum(np.abs(x), C["ERF_MAX"])
    large = F(1) - exp(fma(-polynomial("ERFC", t), t, -t))
    return np.where(np.abs(x) < C["ERF_SMALL"], small, np.where(x < 0, -large, large))


def sigmoid(x):
    e = exp(-np.abs(x))
    return np.where(x < 0, e, F(1)) / (F(1) + e)


def gelu(x):
    return (F(0.5) * x) * (F(1) + erf(x * C["ROOT_HALF"]))


# Linear layers


def quantised(x):
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if bad.size:
        raise NonFinite("quantise", bad[0])
    s = np.abs(x).max(axis=1) / F(127)
    q = np.clip(np.rint(x / np.where(s == 0, F(1), s)[:, None]), -127, 127)
    return s, np.where(s[:, None] == 0, 0, q).astype(np.int64)


def linear(x, w, profile, bias=None):
    if profile == "i8-v1":
        (s, q), (u, p) = quantised(x), quantised(w)
        y = (q @ p.T).astype(F) * (s[:, None] * u[None, :])
    else:
        y = dot(x[:, None, :], w[None, :, :])
    check("linear", y)
    return y if bias is None else check("addBias", y + bias)


# Rows


def inverse_rms(x, epsilon):
    q = check("rmsNorm sum of squares", lane_dot(x, x))
    return F(1) / np.sqrt(q / F(x.shape[-1]) + epsilon)


def rms_norm(x, gain, epsilon):
    return check("rmsNorm", (x * inverse_rms(x, epsilon)[:, None]) * gain)


def rms_norm_backward(x, gain, dy, epsilon):
    r = inverse_rms(x, epsilon)[:, None]
    h = x * r
    u = dy * gain
    c = (lane_dot(u, h) / F(x.shape[1]))[:, None]
    d_gain = check("rmsNormBackward", dot(dy.T, h.T))
    return check("rmsNormBackward", fma(-h, c, u) * r), d_gain


def layer_norm(x, gain, bias, epsilon):
    n = F(x.shape[1])
    z = x - (lane_sum(x) / n)[:, None]
    q = check("layerNorm sum of squares", lane_dot(z, z))
    r = F(1) / np.sqrt(q / n + epsilon)
    return check("layerNorm", fma(z * r[:, None], gain, bias))


def exponentials(x):
    m = x.max(axis=-1, keepdims=True)
    return m, exp(x - m)


def softmax(x):
    p = exponentials(x)[1]
    return check("softmax", p / lane_sum(p)[:, None])


def cross_entropy(x, targets, ignored):
    m, p = exponentials(x)
    z = lane_sum(p)
    rows = np.arange(len(targets))
    counted = targets != ignored
    count = F(counted.sum())
    at = np.where(counted, targets, 0)
    losses = np.where(counted, log(z) - (x[rows, at] - m[:, 0]), F(0)).astype(F)
    loss = check("crossEntropy", np.array([lane_sum(losses) / count]))
    share = F(1) / count
    w = p / z[:, None]
    is_target = np.arange(x.shape[1])[None, :] == at[:, None]
    gradient = np.where(is_target, w - F(1), w) * share
    return loss, check("crossEntropyBackward", np.where(counted[:, None], gradient, F(0)))


def argmax(x):
    return np.argmax(x, axis=1).astype(np.int32)


# Rotary embedding


def frequencies(d, theta, rope, trained):
    f = [math.pow(theta, -2.0 * i / d) for i in range(d // 2)]
    kind = rope.get("rope_type", "default")
    if kind == "linear":
        return [x / rope["factor"] for x in f], 1.0
    if kind == "llama3":
        low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]

        def stretched(x):
            n = rope["original_max_position_embeddings"] * x / (2 * math.pi)
            if n < low:
                return x / factor
            if n > high:
                return x
            s = (n - low) / (high - low)
            return (1 - s) * x / factor + s * x

        return [stretched(x) for x in f], 1.0
    if kind == "yarn":
        t = rope.get("original_max_position_embeddings", trained)
        factor = rope["factor"] if "factor" in rope else trained / t

        def amplitude(weight):
            return 0.1 * weight * math.log(factor) + 1.0 if factor > 1 else 1.0

        def pair(turns):
            return d * math.log(t / (turns * 2 * math.pi)) / (2 * math.log(theta))

        first, last = pair(rope.get("beta_fast", 32)), pair(rope.get("beta_slow", 1))
        if rope.get("truncate", True):
            first, last = math.floor(first), math.ceil(last)
        first, last = max(first, 0), min(last, d - 1)
        span = 0.001 if first == last else last - first
        ramp = [min(max((i - first) / span, 0.0), 1.0) for i in range(d // 2)]
        usual = amplitude(1)
        if rope.get("mscale", 0) > 0 and rope.get("mscale_all_dim", 0) > 0:
            usual = amplitude(rope["mscale"]) / amplitude(rope["mscale_all_dim"])
        a = rope.get("attention_factor", usual)
        return [x / factor * r + x * (1 - r) for x, r in zip(f, ramp)], a
    return f, 1.0


def rope_table(d, positions, theta, rope, trained):
    f, a = frequencies(d, theta, rope, trained)
    angles = [[position * x for x in f] for position in range(positions)]
    cos = np.array([[a * math.cos(angle) for angle in row] for row in angles], D).astype(F)
    sin = np.array([[a * math.sin(angle) for angle in row] for row in angles], D).astype(F)
    return cos, sin


def turn(op, x, positions, table, direction):
    cos, sin = (part[positions][:, None, :] for part in table)
    sin = sin * F(direction)
    heads = x.reshape(x.shape[0], -1, 2 * cos.shape[-1])
    a, b = np.split(heads, 2, axis=-1)
    y = np.concatenate([fma(-b, sin, a * cos), fma(a, sin, b * cos)], axis=-1)
    return check(op, y.reshape(x.shape))


# Attention


def heads_of(x, heads, head_dim):
    """(rows, heads * d) as (heads, rows, d)."""
    return x.reshape(x.shape[0], heads, head_dim).transpose(1, 0, 2)


def weights_of(q, k, visible, layout):
    """p and z, keys that are not visible having the weight +0."""
    heads, kv_heads, d = layout
    queries = heads_of(q, heads, d)
    keys = np.repeat(heads_of(k, kv_heads, d), heads // kv_heads, axis=0)
    scale = F(1.0 / math.sqrt(d))
    s = chain_of_products(queries[:, :, None, :], keys[:, None, :, :]) * scale
    bad = np.flatnonzero(((~np.isfinite(s)) & visible).any(axis=(0, 2)))
    if bad.size:
        raise NonFinite("attention score", bad[0])
    m = np.where(visible, s, -np.inf).max(axis=-1, keepdims=True)
    p = np.where(visible, exp(s - m), F(0)).astype(F)
    return p, block_sum(p, 1024), scale


def attention(q, k, v, visible, layout):
    heads, kv_heads, d = layout
    p, z, _ = weights_of(q, k, visible, layout)
    values = np.repeat(heads_of(v, kv_heads, d), heads // kv_heads, axis=0)
    out = np.empty((heads, q.shape[0], d), F)
    for c in range(d):
        out[:, :, c] = (dot(p, values[:, None, :, c], 1024) + F(0)) / z
    return check("attention", out.transpose(1, 0, 2).reshape(q.shape))


def causal(rows, keys, window):
    i = np.arange(keys - rows, keys)[:, None]
    j = np.arange(keys)[None, :]
    return (j <= i) & ((window == 0) | (j > i - window))


def attention_backward(q, k, v, d_out, layout):
    heads, kv_heads, d = layout
    group = heads // kv_heads
    rows = q.shape[0]
    visible = causal(rows, rows, 0)
    out = attention(q, k, v, visible, layout)
    p, z, scale = weights_of(q, k, visible, layout)
    w = p / z[..., None]
    queries, d_outs, outs = (heads_of(x, heads, d) for x in (q, d_out, out))
    keys, values = (np.repeat(heads_of(x, kv_heads, d), group, axis=0) for x in (k, v))
    delta = chain_of_products(d_outs, outs)
    g = chain_of_products(d_outs[:, :, None, :], values[:, None, :, :])
    t = np.where(visible, w * (g - delta[..., None]), F(0)).astype(F)
    d_q = (dot(t[:, :, None, :], keys.transpose(0, 2, 1)[:, None, :, :], 1024) + F(0)) * scale
    over_queries = lambda a, b: dot(a.transpose(0, 2, 1)[:, :, None, :], b.transpose(0, 2, 1)[:, None, :, :], 1024)
    per_head = lambda x: ascending(np.moveaxis(x.reshape(kv_heads, group, rows, d), 1, -1))
    d_k = per_head(over_queries(t, queries)) * scale
    d_v = per_head(over_queries(w, d_outs))
    flat = lambda x: x.transpose(1, 0, 2).reshape(rows, -1)
    return [check("attentionBackward", flat(x)) for x in (d_q, d_k, d_v)]


# Random numbers


def philox(seed, stream, positions):
    """The four words at many positions, each an array of uint32."""
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    positions = np.asarray(positions, np.uint64)
    c = [positions & low, positions >> half, np.uint64(stream) & low, np.uint64(stream) >> half]
    c = [np.broadcast_to(x, positions.shape).astype(np.uint64) for x in c]
    key = seed % 2**64
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c[0]
        p1 = np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> half) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> half) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return [x.astype(np.uint32) for x in c]


SAMPLING = 3 << 32


def uniform(seed, stream, position):
    return F(int(philox(seed, stream, [position])[0][0]) >> 8) * F(2.0**-24)


# Sampling


def ranking(z):
    """All ids by descending value, equal ones by ascending id."""
    return np.lexsort((np.arange(len(z)), -(z + F(0))))


def running_sums(w):
    """S of every candidate."""
    sums = np.empty(len(w), F)
    before = chain = F(0)
    for i, weight in enumerate(w):
        if i and i % 512 == 0:
            before, chain = before + chain, F(0)
        chain = chain + weight
        sums[i] = before + chain
    return sums


def changed_logits(l, s):
    l = l.copy()
    for token, bias in s["bias"].items():
        l[token] = l[token] + bias
    for token in sorted(set(s["prompt"]) | set(s["generated"])):
        l[token] = l[token] / s["repetition"] if l[token] > 0 else l[token] * s["repetition"]
        n = s["generated"].count(token)
        if n:
            l[token] = (l[token] - F(n) * s["frequency"]) - s["presence"]
    return check("logits with bias and penalties", l)


def sample(l, s, position):
    l = changed_logits(l, s)
    if s["temperature"] == 0:
        return int(np.argmax(l))
    z = check("scale", l * (F(1) / s["temperature"]))
    w = softmax(z[None, :])[0]
    w = np.where(w < s["minP"] * w.max(), F(0), w)
    u = uniform(s["seed"], SAMPLING, position)
    order = np.arange(len(z))
    total = running_sums(w)[-1]
    if s["topK"] > 0 or s["topP"] < 1:
        order = ranking(z)
        if s["topK"] > 0:
            order = order[: s["topK"]]
            total = running_sums(w[order])[-1]
    sums = running_sums(w[order])
    if s["topP"] < 1:
        reached = np.flatnonzero(sums >= s["topP"] * total)
        if reached.size:
            order, sums = order[: reached[0] + 1], sums[: reached[0] + 1]
        total = sums[-1]
    return int(order[np.flatnonzero(sums > u * total)[0]])


def logprobs(l, tokens):
    m, p = exponentials(l[None, :])
    values = (l - m[0, 0]) - log(lane_sum(p))[0]
    for token in tokens:
        if not np.isfinite(values[token]):
            raise NonFinite("logprob", token)
    return values[tokens]


# Pooling


def pooled(x, kind, normalised):
    vector = {"first": x[0], "last": x[-1], "mean": x[0]}[kind]
    if kind == "mean":
        for row in x[1:]:
            vector = vector + row
        vector = vector / F(len(x))
    if normalised:
        squares = check("laneSumOfSquares", lane_dot(vector, vector).reshape(1))
        vector = vector / np.maximum(np.sqrt(squares[0]), F(1e-12))
    return check("embedding", vector)


# Optimiser


def global_norm(tensors):
    total = F(0)
    for tensor in tensors:
        flat = tensor.reshape(-1)
        total = total + check("laneSumOfSquares", lane_dot(flat, flat).reshape(1))[0]
    return np.sqrt(check("gradientNorm", np.array([total])))


def adam_w(gradient, parameter, m, v, step, rate, beta1, beta2, epsilon, decay, scale):
    b1, b2 = F(beta1), F(beta2)
    size = F(rate / (1 - math.pow(beta1, step)))
    root = F(1 / math.sqrt(1 - math.pow(beta2, step)))
    g = gradient * F(scale)
    m = fma(b1, m, F(1 - beta1) * g)
    v = fma(b2, v, F(1 - beta2) * (g * g))
    parameter = fma(-size, m / fma(np.sqrt(v), root, F(epsilon)), parameter * F(1 - rate * decay))
    return [check("adamW " + name, x) for name, x in (("parameter", parameter), ("moment1", m), ("moment2", v))]


# Training


def gaussian(seed, stream, count):
    w = philox(seed, stream, np.arange(count))
    u = [(int(x) + 1.0) * 2.0**-32 for x in w[0]]
    v = [int(x) * 2.0**-32 for x in w[1]]
    return np.array([math.sqrt(-2 * math.log(a)) * math.cos(2 * math.pi * b) for a, b in zip(u, v)], D).astype(F)


class Llama:
    """A plain Llama in training: its sizes, and its tensors by name in the fixed order."""

    def __init__(self, v, seed):
        self.layers, self.tied, self.layout = v["layers"], v["tied"] == 1, (v["heads"], v["kvHeads"], v["headDim"])
        d, inner = v["cols"], v["inner"]
        q, k = v["heads"] * v["headDim"], v["kvHeads"] * v["headDim"]
        shapes = {"embedding": (v["vocabulary"], d)}
        for i in range(self.layers):
            parts = {"norm1": (d,), "q": (q, d), "k": (k, d), "v": (k, d), "o": (d, q), "norm2": (d,)}
            parts |= {"gate": (inner, d), "up": (inner, d), "down": (d, inner)}
            shapes |= {f"{name}{i}": shape for name, shape in parts.items()}
        shapes["final"] = (d,)
        if not self.tied:
            shapes["head"] = (v["vocabulary"], d)
        self.p = {}
        for lane, (name, shape) in enumerate(shapes.items()):
            if len(shape) == 1:
                self.p[name] = np.ones(shape, F)
                continue
            deviation = F(0.02 / math.sqrt(2.0 * self.layers)) if name[:-1] in ("o", "down") else F(0.02)
            drawn = gaussian(seed, (1 << 32) + lane, shape[0] * shape[1])
            self.p[name] = (drawn * deviation).reshape(shape)
        self.head = "embedding" if self.tied else "head"

    def gradients(self, inputs, targets, length):
        p, eps, f32 = self.p, F(1e-5), "f32-v1"
        positions = np.arange(len(inputs)) % length
        table = rope_table(self.layout[2], length, 10_000.0, {}, length)
        rows = [slice(start, start + length) for start in range(0, len(inputs), length)]
        x, kept = p["embedding"][inputs], []
        for i in range(self.layers):
            h = rms_norm(x, p[f"norm1{i}"], eps)
            q, k, v = (linear(h, p[f"{name}{i}"], f32) for name in "qkv")
            q, k = (turn("rope", a, positions, table, 1) for a in (q, k))
            see = causal(length, length, 0)
            mixed = np.concatenate([attention(q[r], k[r], v[r], see, self.layout) for r in rows])
            middle = x + linear(mixed, p[f"o{i}"], f32)
            h2 = rms_norm(middle, p[f"norm2{i}"], eps)
            g, u = linear(h2, p[f"gate{i}"], f32), linear(h2, p[f"up{i}"], f32)
            product = (g * sigmoid(g)) * u
            kept.append((x, h, q, k, v, mixed, middle, h2, g, u, product))
            x = middle + linear(product, p[f"down{i}"], f32)
        hidden = rms_norm(x, p["final"], eps)
        loss, d = cross_entropy(linear(hidden, p[self.head], f32), targets, -1)
        back = lambda dy, name: dot(dy[:, None, :], p[name].T[None, :, :])
        of_weight = lambda dy, a: dot(dy.T[:, None, :], a.T[None, :, :])
        grad = {self.head: of_weight(d, hidden)}
        d, grad["final"] = rms_norm_backward(x, p["final"], back(d, self.head), eps)
        for i in reversed(range(self.layers)):
            x, h, q, k, v, mixed, middle, h2, g, u, product = kept[i]
            grad[f"down{i}"] = of_weight(d, product)
            dg, du = swiglu_backward(g, u, back(d, f"down{i}"))
            grad[f"gate{i}"], grad[f"up{i}"] = of_weight(dg, h2), of_weight(du, h2)
            e = back(dg, f"gate{i}") + back(du, f"up{i}")
            e, grad[f"norm2{i}"] = rms_norm_backward(middle, p[f"norm2{i}"], e, eps)
            d = d + e
            grad[f"o{i}"] = of_weight(d, mixed)
            e = back(d, f"o{i}")
            parts = [attention_backward(q[r], k[r], v[r], e[r], self.layout) for r in rows]
            dq, dk, dv = (np.concatenate(part) for part in zip(*parts))
            dq, dk = (turn("ropeBackward", a, positions, table, -1) for a in (dq, dk))
            for name, dy in (("q", dq), ("k", dk), ("v", dv)):
                grad[f"{name}{i}"] = of_weight(dy, h)
            e = (back(dq, f"q{i}") + back(dk, f"k{i}")) + back(dv, f"v{i}")
            e, grad[f"norm1{i}"] = rms_norm_backward(x, p[f"norm1{i}"], e, eps)
            d = d + e
        table_gradient = embedding_gradient(d, inputs, len(p["embedding"]))
        grad["embedding"] = grad["embedding"] + table_gradient if self.tied else table_gradient
        return loss[0], {name: grad[name] for name in p}


def training(v, tokens, seed):
    model = Llama(v, seed)
    m, s2 = ({name: np.zeros_like(x) for name, x in model.p.items()} for _ in range(2))
    length, steps, warmup, results = v["length"], v["steps"], 2, []
    highest, lowest = 1e-2, 1e-3
    for step in range(steps):
        inputs, targets = [], []
        for row in range(v["batch"]):
            w = philox(seed, (2 << 32) + row, [step])
            start = (int(w[0][0]) + (int(w[1][0]) << 32)) * (len(tokens) - length) >> 64
            inputs.append(tokens[start : start + length])
            targets.append(tokens[start + 1 : start + length + 1])
        loss, grad = model.gradients(np.concatenate(inputs), np.concatenate(targets), length)
        norm = global_norm(grad.values())[0]
        scale = np.minimum(F(1), F(1) / (norm + F(1e-6)))
        progress = min(1.0, (step - warmup) / max(1, steps - warmup))
        rate = highest * (step + 1) / warmup
        if step >= warmup:
            rate = lowest + 0.5 * (highest - lowest) * (1.0 + math.cos(math.pi * progress))
        results += [loss, norm]
        for name, g in grad.items():
            decay = 0.1 if g.ndim > 1 else 0.0
            values = adam_w(g, model.p[name], m[name], s2[name], step + 1, rate, 0.9, 0.95, 1e-8, decay, scale)
            model.p[name], m[name], s2[name] = values
    return [np.array(results, F), *model.p.values(), *m.values(), *s2.values()]


# The golden vectors of the operations


def hash_of(parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def ordinary(words):
    return (words[0] >> np.uint32(8)).astype(F) * F(2.0**-23) - F(1)


class Inputs:
    """The inputs of a vector, one after the other."""

    def __init__(self, kind, seed):
        self.kind, self.seed, self.drawn = kind, seed, []

    def matrix(self, rows, cols):
        words = philox(self.seed, len(self.drawn), np.arange(rows * cols))
        row, col = np.divmod(np.arange(rows * cols), cols)
        u, w1, w2 = ordinary(words), words[1], words[2]
        if self.kind == "zeros":
            zero = np.where(w2 % 2 == 0, F(0.0), F(-0.0))
            u = np.where((row % 3 == 1) | (w1 % 3 == 0), zero, u)
        elif self.kind == "tiny":
            u = u * F(2.0**-75)
            u = np.where(w1 % 4 == 0, u * F(2.0**-60), u)
        elif self.kind == "far-apart":
            u = u * power_of_two((w1 % 61).astype(np.int32) - 30)
        elif self.kind == "saturating":
            odd = np.where(w1 % 2 == 0, F(3), F(-3))
            u = np.where(row % 2 == 1, odd, np.where(col == 1, F(-1000), u))
        elif self.kind == "overflowing":
            u = np.where(w1 % 40 == 0, u * F(2.0**127), u)
        self.drawn.append(u.astype(F).reshape(rows, cols))
        return self.drawn[-1]

    def vector(self, cols):
        return self.matrix(1, cols)[0]

    def integers(self, count, limit):
        words = philox(self.seed, len(self.drawn), np.arange(count))
        self.drawn.append((words[0] % np.uint32(limit)).astype(np.int32))
        return self.drawn[-1]


def embedding_gradient(dy, ids, rows):
    table = np.zeros((rows, dy.shape[1]), F)
    for row, token in zip(dy, ids):
        table[token] = table[token] + row
    return check("embeddingGradient", table)


def swiglu_backward(g, u, d):
    s = sigmoid(g)
    return [check("swigluBackward", x) for x in ((d * u) * (s * fma(g, F(1) - s, F(1))), d * (g * s))]


def thousandths(v, name):
    return F(v[name]) / F(1000)


def drawn_sampling(v, seed, i):
    settings = {
        "temperature": thousandths(v, "temperature"),
        "topK": v["topK"],
        "topP": thousandths(v, "topP"),
        "minP": thousandths(v, "minP"),
        "repetition": thousandths(v, "repetition"),
        "presence": thousandths(v, "presence"),
        "frequency": thousandths(v, "frequency"),
        "seed": seed,
    }
    settings["prompt"] = list(i.integers(v["prompt"], v["cols"]))
    settings["generated"] = list(i.integers(v["generated"], v["cols"]))
    tokens = i.integers(v["biases"], v["cols"])
    biases = (i.integers(v["biases"], 4001) - 2000).astype(F) / F(1000)
    settings["bias"] = dict(zip(tokens, biases))
    return settings


def rope_vector(v, kind):
    other = ("headDim", "positions", "theta", "max_position_embeddings")
    whole = "original_max_position_embeddings"
    rope = {name: size / 1000 for name, size in v.items() if name not in (*other, whole, "truncate")}
    rope["rope_type"] = kind
    if whole in v:
        rope[whole] = v[whole]
    if "truncate" in v:
        rope["truncate"] = v["truncate"] == 1
    return list(rope_table(v["headDim"], v["positions"], float(v["theta"]), rope, v["max_position_embeddings"]))


def results_of(op, profile, v, i, seed):
    """What docs/conformance.md has an operation give."""
    x = lambda: i.matrix(v["rows"], v["cols"])
    row = lambda: i.vector(v["cols"])
    epsilon = F(1e-5)
    layout = (v.get("heads"), v.get("kvHeads"), v.get("headDim"))
    queries = lambda: i.matrix(v["rows"], v["heads"] * v["headDim"])
    keys = lambda rows: i.matrix(rows, v["kvHeads"] * v["headDim"])
    match op:
        case "linear":
            return [linear(i.matrix(v["rows"], v["in"]), i.matrix(v["out"], v["in"]), profile)]
        case "linearWithBias":
            return [linear(i.matrix(v["rows"], v["in"]), i.matrix(v["out"], v["in"]), profile, i.vector(v["out"]))]
        case "quantise":
            scales, values = quantised(x())
            return [scales, values.astype(np.int8)]
        case "linearInputGradient":
            dy, w = i.matrix(v["rows"], v["out"]), i.matrix(v["out"], v["in"])
            return [check(op, dot(dy[:, None, :], w.T[None, :, :]))]
        case "linearWeightGradient":
            dy, a = i.matrix(v["rows"], v["out"]), i.matrix(v["rows"], v["in"])
            return [check(op, dot(dy.T[:, None, :], a.T[None, :, :]))]
        case "biasGradient":
            return [check(op, block_sum(x().T))]
        case "gelu":
            return [check(op, gelu(x()))]
        case "tanh":
            return [check(op, tanh(x()))]
        case "scale":
            return [check(op, x() * F(0.37))]
        case "softmax":
            return [softmax(x())]
        case "add":
            return [check(op, x() + x())]
        case "addBias":
            return [check(op, x() + row())]
        case "swiglu":
            g, u = x(), x()
            return [check(op, (g * sigmoid(g)) * u)]
        case "swigluBackward":
            return swiglu_backward(x(), x(), x())
        case "embedding":
            return [i.matrix(v["table"], v["cols"])[i.integers(v["rows"], v["table"])]]
        case "embeddingGradient":
            return [embedding_gradient(x(), i.integers(v["rows"], v["table"]), v["table"])]
        case "adamW":
            return adam_w(x(), x(), x(), np.abs(x()), 3, 1e-3, 0.9, 0.95, 1e-8, 0.1, 0.5)
        case "rmsNorm":
            return [rms_norm(x(), row(), epsilon)]
        case "rmsNormBackward":
            return list(rms_norm_backward(x(), row(), x(), epsilon))
        case "layerNorm":
            return [layer_norm(x(), row(), row(), epsilon)]
        case "argmax":
            return [argmax(x())]
        case "laneSum":
            return [check(op, lane_sum(x().reshape(1, -1)))]
        case "laneSumOfSquares":
            flat = x().reshape(1, -1)
            return [check(op, lane_dot(flat, flat))]
        case "crossEntropy":
            logits, targets = x(), i.integers(v["rows"], v["cols"]).copy()
            targets[-1] = -1
            return list(cross_entropy(logits, targets, -1))
        case "rope" | "ropeBackward":
            table = rope_table(v["headDim"], v["positions"], 10_000.0, {}, v["positions"])
            turned = queries()
            return [turn(op, turned, i.integers(v["rows"], v["positions"]), table, 1 if op == "rope" else -1)]
        case "attention":
            return [
                attention(
                    queries(), keys(v["keys"]), keys(v["keys"]), causal(v["rows"], v["keys"], v["window"]), layout
                )
            ]
        case "attentionBidirectional":
            everything = np.ones((v["rows"], v["rows"]), bool)
            return [attention(queries(), keys(v["rows"]), keys(v["rows"]), everything, layout)]
        case "attentionBackward":
            return attention_backward(queries(), keys(v["rows"]), keys(v["rows"]), queries(), layout)
        case "ropeTable" | "ropeTableLinear" | "ropeTableLlama3" | "ropeTableYarn":
            return rope_vector(v, op[len("ropeTable") :].lower() or "default")
        case "sample":
            logits = x()
            settings = drawn_sampling(v, seed, i)
            tokens = [sample(l, settings, v["position"] + t) for t, l in enumerate(logits)]
            return [np.array(tokens, np.int32)]
        case "topK":
            return [ranking(l)[: v["count"]].astype(np.int32) for l in x()]
        case "logprob":
            return [logprobs(l, tokens) for l, tokens in zip(x(), i.integers(v["rows"], v["cols"])[:, None])]
        case "globalNorm":
            norm = global_norm([x(), row(), x()])
            return [np.array([norm[0], np.minimum(F(1), F(1) / (norm[0] + F(1e-6)))], F)]
        case "training":
            return training(v, i.integers(100, v["vocabulary"]), seed)
        case "poolMean" | "poolFirst" | "poolLast":
            return [pooled(x(), op[4:].lower(), v["normalised"] == 1)]
    raise ValueError("docs/conformance.md has no operation " + op)


def run_ops(folder, report):
    for line in (folder / "ops.jsonl").read_text().splitlines():
        wanted = json.loads(line)
        inputs = Inputs(wanted["kind"], wanted["seed"])
        got = {}
        try:
            results = results_of(wanted["op"], wanted["profile"], wanted["sizes"], inputs, wanted["seed"])
            got["results"] = hash_of(results)
        except NonFinite as e:
            got["fault"] = {"op": e.op, "index": e.index}
        got["inputs"] = hash_of(inputs.drawn)
        report(
            all(wanted.get(key) == got.get(key) for key in ("inputs", "results", "fault")),
            f"{wanted['op']} {wanted['profile']} {wanted['kind']} {wanted['sizes']}: {got}",
        )


# Whole models


def weight(seed, stream, shape, gain=False):
    words = philox(seed, stream, np.arange(int(np.prod(shape))))
    factor = F(0.25) if len(shape) == 1 else F(2.0 ** -(int(shape[-1]).bit_length() // 2))
    return (F(1 if gain else 0) + ordinary(words) * factor).astype(F).reshape(shape)


class Weights:
    def __init__(self, seed):
        self.seed, self.stream = seed, -1

    def matrix(self, *shape):
        self.stream += 1
        return weight(self.seed, self.stream, shape)

    def gain(self, n):
        self.stream += 1
        return weight(self.seed, self.stream, (n,), gain=True)


def llama_rows(model, profile):
    """The hash of every row of every text."""
    c, w = model["config"], Weights(model["seed"])
    family = c["model_type"]
    width, heads, kv_heads = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    d = c.get("head_dim", width // heads)
    qkv_bias = family == "qwen2" or c.get("attention_bias", False)
    output_bias = family != "qwen2" and c.get("attention_bias", False)
    epsilon = F(c["rms_norm_eps"])
    count = c["num_hidden_layers"]
    rotary = [family != "smollm3" or c["no_rope_layers"][layer] == 1 for layer in range(count)]
    windows = [0] * count
    if family == "mistral":
        windows = [c["sliding_window"]] * count
    elif c.get("use_sliding_window") and family == "smollm3":
        windows = [0 if rotary[layer] else c["sliding_window"] for layer in range(count)]

    def linear_layer(out, inner, has_bias):
        return w.matrix(out, inner), w.matrix(out) if has_bias else None

    embedding = w.matrix(c["vocab_size"], width)
    layers = []
    for _ in range(c["num_hidden_layers"]):
        layer = {"norm1": w.gain(width)}
        layer["q"] = linear_layer(heads * d, width, qkv_bias)
        layer["k"] = linear_layer(kv_heads * d, width, qkv_bias)
        layer["v"] = linear_layer(kv_heads * d, width, qkv_bias)
        if family == "qwen3":
            layer["q_norm"], layer["k_norm"] = w.gain(d), w.gain(d)
        layer["o"] = linear_layer(width, heads * d, output_bias)
        layer["norm2"] = w.gain(width)
        layer["gate"] = w.matrix(c["intermediate_size"], width)
        layer["up"] = w.matrix(c["intermediate_size"], width)
        layer["down"] = w.matrix(width, c["intermediate_size"])
        layers.append(layer)
    final = w.gain(width)
    head = embedding if c["tie_word_embeddings"] else w.matrix(c["vocab_size"], width)
    rope = c.get("rope_scaling") or {}
    for sequence in model["sequences"]:
        tokens = np.array(sequence["tokens"])
        n = len(tokens)
        positions = np.arange(n)
        table = rope_table(d, n, c["rope_theta"], rope, c["max_position_embeddings"])
        x = embedding[tokens]
        for number, layer in enumerate(layers):
            h = rms_norm(x, layer["norm1"], epsilon)
            q, k, v = (linear(h, layer[name][0], profile, layer[name][1]) for name in "qkv")
            if family == "qwen3":
                q = rms_norm(q.reshape(-1, d), layer["q_norm"], epsilon).reshape(q.shape)
                k = rms_norm(k.reshape(-1, d), layer["k_norm"], epsilon).reshape(k.shape)
            if rotary[number]:
                q, k = (turn("rope", a, positions, table, 1) for a in (q, k))
            mixed = attention(q, k, v, causal(n, n, windows[number]), (heads, kv_heads, d))
            x = x + linear(mixed, layer["o"][0], profile, layer["o"][1])
            h = rms_norm(x, layer["norm2"], epsilon)
            g, u = linear(h, layer["gate"], profile), linear(h, layer["up"], profile)
            x = x + linear((g * sigmoid(g)) * u, layer["down"], profile)
        hidden = rms_norm(x, final, epsilon)
        logits = linear(hidden, head, profile)
        yield [hash_of([hidden[t], logits[t]])[:16] for t in range(n)], sequence["rows"][profile]


def bert_texts(model, profile):
    """The hashes of every row and vector of every text."""
    c, w = model["config"], Weights(model["seed"])
    width, heads, inner = c["hidden_size"], c["num_attention_heads"], c["intermediate_size"]
    epsilon = F(c["layer_norm_eps"])
    words, positions = w.matrix(c["vocab_size"], width), w.matrix(c["max_position_embeddings"], width)
    types = w.matrix(c["type_vocab_size"], width)
    norm = lambda: (w.gain(width), w.matrix(width))
    layer_of = lambda out, n: (w.matrix(out, n), w.matrix(out))
    first = norm()
    layers = [
        [layer_of(width, width) for _ in range(4)] + [norm(), layer_of(inner, width), layer_of(width, inner), norm()]
        for _ in range(c["num_hidden_layers"])
    ]
    for text in model["texts"]:
        tokens = np.array(text["tokens"])
        n = len(tokens)
        x = layer_norm((words[tokens] + types[0]) + positions[:n], *first, epsilon)
        for q, k, v, o, norm1, up, down, norm2 in layers:
            apply = lambda layer, a: linear(a, layer[0], profile, layer[1])
            everything = np.ones((n, n), bool)
            mixed = attention(apply(q, x), apply(k, x), apply(v, x), everything, (heads, heads, width // heads))
            x = layer_norm(apply(o, mixed) + x, *norm1, epsilon)
            x = layer_norm(apply(down, gelu(apply(up, x))) + x, *norm2, epsilon)
        golden = text["golden"][profile]
        ways = [(kind, normalised) for kind in ("mean", "first", "last") for normalised in (False, True)]
        yield [hash_of([row])[:16] for row in x], golden["rows"]
        yield [hash_of([pooled(x, *way)])[:16] for way in ways], golden["vectors"]


def run_models(folder, file, results, report):
    for model in json.loads((folder / file).read_text())["models"]:
        for profile in ("f32-v1", "i8-v1"):
            for number, (got, wanted) in enumerate(results(model, profile)):
                report(got == wanted, f"{file} {model['name']} {profile} {number}: {got}")


def main():
    folder, page = Path(sys.argv[1]), Path(sys.argv[2])
    C.update(coefficients(page.read_text()))
    counts = {True: 0, False: 0}

    def report(right, text):
        counts[right] += 1
        if not right:
            print("FAILED", text)

    run_ops(folder, report)
    run_models(folder, "steps.json", llama_rows, report)
    run_models(folder, "bert.json", bert_texts, report)
    print(f"{counts[True] + counts[False]} compared, {counts[False]} failed")
    sys.exit(1 if counts[False] else 0)


if __name__ == "__main__":
    main()
