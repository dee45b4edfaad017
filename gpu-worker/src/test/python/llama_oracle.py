"""A Llama in plain torch autograd: the oracle for RigMesh's forward, backward and optimiser.

It shares nothing with the Java code but the files: a Hugging Face folder (config.json, model.safetensors) and
little-endian int32 token files. Everything is float32 on the CPU.

    llama_oracle.py gradients FOLDER   reads tokens.bin (batch, length + 1); writes logits.bin, loss.json, gradients.safetensors
    llama_oracle.py train FOLDER       reads tokens.bin (steps, batch, length + 1) and schedule.json; writes losses.json
    llama_oracle.py bench FOLDER       reads tokens.bin and schedule.json; answers each line "N" on stdin (train N steps)
                                       with the seconds and the CPU seconds they took and the last loss
"""

import json
import math
import os
import struct
import sys
import time

import numpy
import torch
import torch.nn.functional as F


def read_safetensors(path):
    with open(path, "rb") as file:
        (header_bytes,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(header_bytes))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", (name, entry)
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().astype("<f4").tobytes())


class Llama:
    def __init__(self, folder):
        with open(os.path.join(folder, "config.json")) as file:
            self.config = json.load(file)
        self.weights = read_safetensors(os.path.join(folder, "model.safetensors"))
        for weight in self.weights.values():
            weight.requires_grad_(True)
        config = self.config
        self.heads = config["num_attention_heads"]
        self.key_heads = config["num_key_value_heads"]
        self.head_dim = config.get("head_dim") or config["hidden_size"] // self.heads
        length = config["max_position_embeddings"]
        half = self.head_dim // 2
        frequency = config["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) * 2 / self.head_dim)
        angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency[None, :]
        self.cos = angle.cos().float()
        self.sin = angle.sin().float()
        self.mask = torch.full((length, length), float("-inf")).triu(1)

    def norm(self, x, name):
        scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config["rms_norm_eps"])
        return x * scale * self.weights[name]

    def rotate(self, x):  # (batch, heads, length, head_dim), halves paired as Hugging Face does
        length = x.shape[2]
        cos, sin = self.cos[:length], self.sin[:length]
        left, right = x.chunk(2, -1)
        return torch.cat((left * cos - right * sin, right * cos + left * sin), -1)

    def logits(self, tokens):  # (batch, length) -> (batch, length, vocabulary)
        batch, length = tokens.shape
        w = self.weights
        x = F.embedding(tokens, w["model.embed_tokens.weight"])
        for layer in range(self.config["num_hidden_layers"]):
            prefix = f"model.layers.{layer}."
            h = self.norm(x, prefix + "input_layernorm.weight")

            def project(name, heads):
                y = F.linear(h, w[prefix + f"self_attn.{name}_proj.weight"])
                return y.view(batch, length, heads, self.head_dim).transpose(1, 2)

            q = self.rotate(project("q", self.heads))
            k = self.rotate(project("k", self.key_heads))
            v = project("v", self.key_heads)
            group = self.heads // self.key_heads
            k = k.repeat_interleave(group, 1)
            v = v.repeat_interleave(group, 1)
            scores = q @ k.transpose(2, 3) / math.sqrt(self.head_dim) + self.mask[:length, :length]
            mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, -1)
            x = x + F.linear(mixed, w[prefix + "self_attn.o_proj.weight"])
            h = self.norm(x, prefix + "post_attention_layernorm.weight")
            gate = F.linear(h, w[prefix + "mlp.gate_proj.weight"])
            up = F.linear(h, w[prefix + "mlp.up_proj.weight"])
            x = x + F.linear(F.silu(gate) * up, w[prefix + "mlp.down_proj.weight"])
        x = self.norm(x, "model.norm.weight")
        head = "model.embed_tokens.weight" if self.config["tie_word_embeddings"] else "lm_head.weight"
        return F.linear(x, w[head])

    def loss(self, window):  # (batch, length + 1)
        logits = self.logits(window[:, :-1])
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), window[:, 1:].reshape(-1)), logits


def read_tokens(folder, shape):
    tokens = numpy.fromfile(os.path.join(folder, "tokens.bin"), dtype="<i4").astype(numpy.int64)
    return torch.from_numpy(tokens.reshape(shape))


def gradients(folder):
    model = Llama(folder)
    with open(os.path.join(folder, "tokens.json")) as file:
        shape = json.load(file)["shape"]
    loss, logits = model.loss(read_tokens(folder, shape))
    loss.backward()
    logits.detach().numpy().astype("<f4").tofile(os.path.join(folder, "logits.bin"))
    write_safetensors(
        os.path.join(folder, "gradients.safetensors"), {name: w.grad for name, w in model.weights.items()}
    )
    with open(os.path.join(folder, "loss.json"), "w") as file:
        json.dump({"loss": loss.item()}, file)


class Training:
    """torch.optim.AdamW, clip_grad_norm_ and a cosine schedule, set up as nanoGPT does: matrices decay, norms do not."""

    def __init__(self, folder):
        self.model = Llama(folder)
        with open(os.path.join(folder, "schedule.json")) as file:
            self.schedule = json.load(file)
        s = self.schedule
        self.tokens = read_tokens(folder, (-1, s["batch"], s["length"] + 1))
        weights = self.model.weights.values()
        groups = [
            {"params": [w for w in weights if w.dim() >= 2], "weight_decay": s["weightDecay"]},
            {"params": [w for w in weights if w.dim() < 2], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=0.0, betas=(s["beta1"], s["beta2"]), eps=s["epsilon"])
        self.steps_done = 0

    def learning_rate(self, step):
        s = self.schedule
        if step < s["warmupSteps"]:
            return s["learningRate"] * (step + 1) / s["warmupSteps"]
        progress = min(1.0, (step - s["warmupSteps"]) / max(1, s["steps"] - s["warmupSteps"]))
        low = s["learningRateMin"]
        return low + 0.5 * (s["learningRate"] - low) * (1 + math.cos(math.pi * progress))

    def step(self):
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.steps_done)
        loss, _ = self.model.loss(self.tokens[self.steps_done % len(self.tokens)])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.weights.values(), self.schedule["gradientNormMax"])
        self.optimiser.step()
        self.steps_done += 1
        return loss.item()


def train(folder):
    training = Training(folder)
    losses = [training.step() for _ in range(training.schedule["steps"])]
    with open(os.path.join(folder, "losses.json"), "w") as file:
        json.dump(losses, file)


def bench(folder):
    training = Training(folder)
    print("ready", flush=True)
    for line in sys.stdin:
        wall, cpu, loss = time.perf_counter(), time.process_time(), math.nan
        for _ in range(int(line)):
            loss = training.step()
        print(f"{time.perf_counter() - wall:.9f} {time.process_time() - cpu:.9f} {loss:.6f}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("RIGMESH_TORCH_THREADS", "1")))
    {"gradients": gradients, "train": train, "bench": bench}[sys.argv[1]](sys.argv[2])
