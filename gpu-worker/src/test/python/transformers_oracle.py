"""Hugging Face transformers as an oracle for the models that run on a GPU, and as the peer that their speed is compared with.

    transformers_oracle.py parity FOLDER    writes FOLDER/<family>/ with random weights (config.json, model.safetensors),
                                            tokens.bin (little-endian int32) and logits.bin (little-endian float32, from
                                            float64 arithmetic), for a Llama, a Qwen2 and a Mistral with a sliding window
    transformers_oracle.py speed            prints, for the shapes of Llama-3.2-1B and Llama-3.1-8B in bf16 on the GPU, lines
                                            `NAME HOW TOKENS_PER_SECOND` of a decode of one sequence at 1024 positions, as a
                                            CUDA graph; HOW is graph, or compiled where torch.compile made its layers, too
    transformers_oracle.py speed-check      on the CPU, with a tiny shape: that what speed times is a Llama
"""

import os
import sys
import time

import torch

FAMILIES = {
    "llama": (
        "Llama",
        dict(num_key_value_heads=2, tie_word_embeddings=False),
    ),
    "qwen2": (
        "Qwen2",
        dict(num_key_value_heads=3, tie_word_embeddings=True),
    ),
    "mistral": (
        "Mistral",
        dict(num_key_value_heads=1, head_dim=12, sliding_window=9, tie_word_embeddings=False),
    ),
}
SIZES = dict(
    vocab_size=331,
    hidden_size=72,
    intermediate_size=152,
    num_hidden_layers=3,
    num_attention_heads=6,
    max_position_embeddings=256,
    rms_norm_eps=1e-5,
    bos_token_id=None,
    eos_token_id=None,
    pad_token_id=None,
    attention_dropout=0.0,
)


def parity(folder):
    import transformers

    for name, (family, own) in FAMILIES.items():
        torch.manual_seed(7)
        target = os.path.join(folder, name)
        os.makedirs(target, exist_ok=True)
        config = getattr(transformers, family + "Config")(**{**SIZES, **own})
        config._attn_implementation = "eager"
        model = getattr(transformers, family + "ForCausalLM")(config)
        with torch.no_grad():
            for parameter in model.parameters():
                spread = 0.2 if parameter.dim() == 1 else parameter.shape[-1] ** -0.5
                parameter.copy_(torch.randn_like(parameter) * spread)
            for key, parameter in model.named_parameters():
                if key.endswith("norm.weight"):
                    parameter.add_(1.0)
        model.save_pretrained(target)
        tokens = torch.randint(0, SIZES["vocab_size"], (1, 75))
        with torch.no_grad():
            logits = model.double().eval()(tokens, use_cache=False).logits[0]
        tokens[0].to(torch.int32).numpy().astype("<i4").tofile(os.path.join(target, "tokens.bin"))
        logits.to(torch.float32).numpy().astype("<f4").tofile(os.path.join(target, "logits.bin"))


SHAPES = {
    "Llama-3.2-1B": dict(width=2048, inner=8192, layers=16, heads=32, kv_heads=8, vocabulary=128256, tied=True),
    "Llama-3.1-8B": dict(width=4096, inner=14336, layers=32, heads=32, kv_heads=8, vocabulary=128256, tied=False),
}
TINY = dict(width=48, inner=80, layers=2, heads=6, kv_heads=2, vocabulary=101, tied=False)
CONTEXT = 1024
THETA = 500000.0
EPSILON = 1e-5
REPEATS = 50
ROUNDS = 7


def layer_step(x, norm1, qkv, out, norm2, gate_up, down, keys, values, cos, sin, place):
    """One layer's decode of one token, the last of a full cache; plain PyTorch, nothing of which waits for the device."""
    functional = torch.nn.functional
    kv_heads, head = keys.shape[1], keys.shape[3]
    projected = functional.linear(functional.rms_norm(x, x.shape[-1:], norm1, EPSILON), qkv)
    projected = projected.view(1, 1, -1, head).transpose(1, 2)
    heads = projected.shape[1] - 2 * kv_heads
    turned = projected[:, : heads + kv_heads]
    half = head // 2
    turned = turned * cos + torch.cat((-turned[..., half:], turned[..., :half]), -1) * sin
    keys.index_copy_(2, place, turned[:, heads:])
    values.index_copy_(2, place, projected[:, heads + kv_heads :])
    mixed = functional.scaled_dot_product_attention(turned[:, :heads], keys, values, enable_gqa=True)
    x = x + functional.linear(mixed.transpose(1, 2).reshape(1, 1, -1), out)
    gate, up = functional.linear(functional.rms_norm(x, x.shape[-1:], norm2, EPSILON), gate_up).chunk(2, -1)
    return x + functional.linear(functional.silu(gate) * up, down)


class Decoder:
    """A Llama of random weights that decodes the last token of a context."""

    def __init__(self, shape, context, device, dtype):
        width, inner, heads, kv_heads = shape["width"], shape["inner"], shape["heads"], shape["kv_heads"]
        head = width // heads

        def weight(rows, columns):
            return torch.randn(rows, columns, device=device, dtype=dtype) * columns**-0.5

        self.embedding = weight(shape["vocabulary"], width)
        self.head = self.embedding if shape["tied"] else weight(shape["vocabulary"], width)
        self.norm = torch.ones(width, device=device, dtype=dtype)
        self.layers = [
            (
                torch.ones(width, device=device, dtype=dtype),
                weight((heads + 2 * kv_heads) * head, width),
                weight(width, width),
                torch.ones(width, device=device, dtype=dtype),
                weight(2 * inner, width),
                weight(width, inner),
                torch.randn(1, kv_heads, context, head, device=device, dtype=dtype),
                torch.randn(1, kv_heads, context, head, device=device, dtype=dtype),
            )
            for _ in range(shape["layers"])
        ]
        self.place = torch.tensor([context - 1], device=device)
        angle = (context - 1) * THETA ** (-torch.arange(0, head, 2, device=device, dtype=torch.float64) / head)
        self.cos = torch.cat((angle.cos(), angle.cos())).to(dtype)
        self.sin = torch.cat((angle.sin(), angle.sin())).to(dtype)
        self.token = torch.full((1, 1), 17, device=device)

    def step(self, layer=layer_step):
        x = self.embedding[self.token]
        for weights in self.layers:
            x = layer(x, *weights, self.cos, self.sin, self.place)
        x = torch.nn.functional.rms_norm(x, x.shape[-1:], self.norm, EPSILON)
        return torch.nn.functional.linear(x, self.head)


def graph_of(run):
    """The run as a CUDA graph, after a few runs beside the capture, as PyTorch asks for."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph


def speed():
    torch.set_grad_enabled(False)
    for name, shape in SHAPES.items():
        decoder = Decoder(shape, CONTEXT, "cuda", torch.bfloat16)
        for how in ("graph", "compiled"):
            try:
                layer = layer_step if how == "graph" else torch.compile(layer_step, dynamic=False)
                graph = graph_of(lambda: decoder.step(layer))
            except Exception as error:  # What cannot be compiled here is no peer, and the other line stands.
                if how == "graph":
                    raise
                print(f"{name} cannot be compiled: {error}", file=sys.stderr)
                continue
            times = []
            for _ in range(ROUNDS):
                torch.cuda.synchronize()
                start = time.perf_counter()
                for _ in range(REPEATS):
                    graph.replay()
                torch.cuda.synchronize()
                times.append((time.perf_counter() - start) / REPEATS)
            print(f"{name} {how} {1 / sorted(times)[ROUNDS // 2]:.1f}", flush=True)
            del graph
        del decoder
        torch.cuda.empty_cache()


def speed_check():
    import transformers

    torch.set_grad_enabled(False)
    torch.manual_seed(3)
    context = 9
    decoder = Decoder(TINY, context, "cpu", torch.float32)
    config = transformers.LlamaConfig(
        vocab_size=TINY["vocabulary"],
        hidden_size=TINY["width"],
        intermediate_size=TINY["inner"],
        num_hidden_layers=TINY["layers"],
        num_attention_heads=TINY["heads"],
        num_key_value_heads=TINY["kv_heads"],
        rms_norm_eps=EPSILON,
        rope_theta=THETA,
        tie_word_embeddings=False,
        attn_implementation="eager",
    )
    model = transformers.LlamaForCausalLM(config).eval()
    rows = [TINY["heads"] * 8, TINY["kv_heads"] * 8, TINY["kv_heads"] * 8]
    model.model.embed_tokens.weight.copy_(decoder.embedding)
    model.lm_head.weight.copy_(decoder.head)
    cache = transformers.DynamicCache()
    for index, (layer, weights) in enumerate(zip(model.model.layers, decoder.layers)):
        _, qkv, out, _, gate_up, down, keys, values = weights
        for target, source in zip((layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj), qkv.split(rows)):
            target.weight.copy_(source)
        layer.self_attn.o_proj.weight.copy_(out)
        layer.mlp.gate_proj.weight.copy_(gate_up.chunk(2)[0])
        layer.mlp.up_proj.weight.copy_(gate_up.chunk(2)[1])
        layer.mlp.down_proj.weight.copy_(down)
        cache.update(keys[:, :, : context - 1].clone(), values[:, :, : context - 1].clone(), index)
    theirs = model(decoder.token, past_key_values=cache, use_cache=True).logits
    ours = decoder.step()
    difference = ((ours - theirs).norm() / theirs.norm()).item()
    if not difference < 1e-5:
        sys.exit(f"what speed times differs from transformers by {difference}")
    print(f"what speed times is within {difference:.1e} of transformers")


if __name__ == "__main__":
    if sys.argv[1:2] == ["parity"]:
        parity(sys.argv[2])
    elif sys.argv[1:] == ["speed"]:
        speed()
    elif sys.argv[1:] == ["speed-check"]:
        speed_check()
    else:
        sys.exit(__doc__)
