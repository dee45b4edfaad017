"""Logits of the Llama families in plain torch, in double, from the papers and the models' definitions: the oracle for RigMesh's
steps.

It shares nothing with the Java code but the files: Hugging Face folders (config.json, safetensors in one file or in shards) and
tokens.bin, little-endian int32. Writes logits.bin, float64 (length, vocabulary), into each folder.

    family_oracle.py FOLDER...
"""

import json
import math
import os
import struct
import sys

import numpy
import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def widened(data, entry):
    begin, end = entry["data_offsets"]
    raw = data[begin:end]
    if entry["dtype"] == "F32":
        values = numpy.frombuffer(raw, "<f4")
    elif entry["dtype"] == "F16":
        values = numpy.frombuffer(raw, "<f2")
    else:
        assert entry["dtype"] == "BF16", entry
        values = (numpy.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    return torch.from_numpy(values.astype(numpy.float64).reshape(entry["shape"]))


def read_weights(folder):
    index = os.path.join(folder, "model.safetensors.index.json")
    if os.path.exists(index):
        with open(index) as file:
            names = sorted(set(json.load(file)["weight_map"].values()))
    else:
        names = ["model.safetensors"]
    weights = {}
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            (header_bytes,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(header_bytes))
            data = file.read()
        for tensor, entry in header.items():
            if tensor != "__metadata__":
                weights[tensor] = widened(data, entry)
    return weights


def rotary(config, head_dim, length):
    """Cosines and sines (length, head_dim / 2), the factor on attention in them."""
    theta = config["rope_theta"]
    pairs = torch.arange(0, head_dim, 2, dtype=torch.float64)
    inverse = 1.0 / theta ** (pairs / head_dim)
    scaling = config.get("rope_scaling") or {"rope_type": "default"}
    amplitude = 1.0
    kind = scaling["rope_type"]
    if kind == "linear":
        inverse = inverse / scaling["factor"]
    elif kind == "llama3":
        wavelength = 2 * math.pi / inverse
        trained = scaling["original_max_position_embeddings"]
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        smooth = ((trained / wavelength - low) / (high - low)).clamp(0, 1)
        inverse = (1 - smooth) * inverse / scaling["factor"] + smooth * inverse
    elif kind == "yarn":
        factor = scaling["factor"]
        trained = scaling.get("original_max_position_embeddings", config["max_position_embeddings"])

        def scale(weight):
            return 0.1 * weight * math.log(factor) + 1.0 if factor > 1 else 1.0

        if "attention_factor" in scaling:
            amplitude = scaling["attention_factor"]
        elif "mscale" in scaling and "mscale_all_dim" in scaling:
            amplitude = scale(scaling["mscale"]) / scale(scaling["mscale_all_dim"])
        else:
            amplitude = scale(1.0)

        def dimension(turns):
            return head_dim * math.log(trained / (turns * 2 * math.pi)) / (2 * math.log(theta))

        low, high = dimension(scaling.get("beta_fast", 32)), dimension(scaling.get("beta_slow", 1))
        if scaling.get("truncate", True):
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, head_dim - 1)
        if low == high:
            high += 0.001
        ramp = ((torch.arange(head_dim // 2, dtype=torch.float64) - low) / (high - low)).clamp(0, 1)
        inverse = inverse / factor * ramp + inverse * (1 - ramp)
    else:
        assert kind == "default", kind
    angle = torch.arange(length, dtype=torch.float64)[:, None] * inverse[None, :]
    return angle.cos() * amplitude, angle.sin() * amplitude


def rotate(x, cos, sin):  # (heads, length, head_dim): component i turns with component i + head_dim / 2
    left, right = x.chunk(2, -1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), -1)


def norm(x, gain, epsilon):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * gain


def window_of(config, layer):
    kind, window = config["model_type"], config.get("sliding_window")
    if kind == "mistral":
        return window
    if kind in ("qwen2", "qwen3") and config.get("use_sliding_window"):
        return window if layer >= config["max_window_layers"] else None
    return None


def rotates(config, layer):
    return config["model_type"] != "smollm3" or (layer + 1) % config.get("no_rope_layer_interval", 4) != 0


def logits(folder):
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    w = read_weights(folder)
    tokens = torch.from_numpy(numpy.fromfile(os.path.join(folder, "tokens.bin"), "<i4").astype(numpy.int64))
    length = len(tokens)
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    epsilon = config["rms_norm_eps"]
    cos, sin = rotary(config, head_dim, length)
    distance = torch.arange(length)[:, None] - torch.arange(length)[None, :]

    x = F.embedding(tokens, w["model.embed_tokens.weight"])
    for layer in range(config["num_hidden_layers"]):
        def part(name):
            return w.get(f"model.layers.{layer}.{name}")

        def project(h, name):
            return F.linear(h, part(f"self_attn.{name}_proj.weight"), part(f"self_attn.{name}_proj.bias"))

        def heads_of(h, name, count):
            y = project(h, name).view(length, count, head_dim)
            gain = part(f"self_attn.{name}_norm.weight")
            return (y if gain is None else norm(y, gain, epsilon)).transpose(0, 1)

        h = norm(x, part("input_layernorm.weight"), epsilon)
        q, k, v = heads_of(h, "q", heads), heads_of(h, "k", groups), heads_of(h, "v", groups)
        if rotates(config, layer):
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k = k.repeat_interleave(heads // groups, 0)
        v = v.repeat_interleave(heads // groups, 0)
        hidden = distance < 0
        window = window_of(config, layer)
        if window is not None:
            hidden = hidden | (distance >= window)
        scores = (q @ k.transpose(1, 2) / math.sqrt(head_dim)).masked_fill(hidden, float("-inf"))
        mixed = (scores.softmax(-1) @ v).transpose(0, 1).reshape(length, -1)
        x = x + project(mixed, "o")
        h = norm(x, part("post_attention_layernorm.weight"), epsilon)
        gate, up = F.linear(h, part("mlp.gate_proj.weight")), F.linear(h, part("mlp.up_proj.weight"))
        x = x + F.linear(F.silu(gate) * up, part("mlp.down_proj.weight"))
    x = norm(x, w["model.norm.weight"], epsilon)
    return F.linear(x, w["model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"])


for folder in sys.argv[1:]:
    logits(folder).numpy().astype("<f8").tofile(os.path.join(folder, "logits.bin"))
