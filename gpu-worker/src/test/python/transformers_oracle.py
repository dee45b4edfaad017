"""Hugging Face transformers as an oracle for the models that run on a GPU, and as the peer that their speed is compared with.

    transformers_oracle.py parity FOLDER    writes FOLDER/<family>/ with random weights (config.json, model.safetensors),
                                            tokens.bin (little-endian int32) and logits.bin (little-endian float32, from
                                            float64 arithmetic), for a Llama, a Qwen2 and a Mistral with a sliding window
    transformers_oracle.py speed            prints, for the shapes of Llama-3.2-1B and Llama-3.1-8B in bf16 on the GPU, a line
                                            `NAME decode-1 TOKENS_PER_SECOND`: a decode of one sequence at 1024 positions, as
                                            a CUDA graph; `decode-1-eager` where this version cannot be captured
"""

import os
import sys
import time

import torch
import transformers

FAMILIES = {
    "llama": (
        transformers.LlamaForCausalLM,
        transformers.LlamaConfig,
        dict(num_key_value_heads=2, tie_word_embeddings=False),
    ),
    "qwen2": (
        transformers.Qwen2ForCausalLM,
        transformers.Qwen2Config,
        dict(num_key_value_heads=3, tie_word_embeddings=True),
    ),
    "mistral": (
        transformers.MistralForCausalLM,
        transformers.MistralConfig,
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
    for name, (model_class, config_class, own) in FAMILIES.items():
        torch.manual_seed(7)
        target = os.path.join(folder, name)
        os.makedirs(target, exist_ok=True)
        config = config_class(**{**SIZES, **own})
        config._attn_implementation = "eager"
        model = model_class(config)
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
    "Llama-3.2-1B": dict(
        hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32, tie_word_embeddings=True
    ),
    "Llama-3.1-8B": dict(
        hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32, tie_word_embeddings=False
    ),
}
CONTEXT = 1024
REPEATS = 50


def speed():
    device = torch.device("cuda")
    for name, own in SHAPES.items():
        config = transformers.LlamaConfig(
            vocab_size=128256, num_key_value_heads=8, max_position_embeddings=131072, rope_theta=500000.0, **own
        )
        torch.set_default_dtype(torch.bfloat16)
        with device:
            model = transformers.LlamaForCausalLM(config).eval()
        torch.set_default_dtype(torch.float32)
        cache = transformers.StaticCache(
            config=config, max_batch_size=1, max_cache_len=CONTEXT, device=device, dtype=torch.bfloat16
        )
        token = torch.full((1, 1), 17, device=device)
        place = torch.tensor([CONTEXT - 1], device=device)

        def step():
            return model(token, past_key_values=cache, cache_position=place, use_cache=True).logits

        with torch.no_grad():
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):
                    step()
            torch.cuda.current_stream().wait_stream(stream)
            kind, run, graph = "decode-1", step, torch.cuda.CUDAGraph()
            try:
                with torch.cuda.graph(graph):
                    step()
                run = graph.replay
            except RuntimeError as error:
                print(f"{name} cannot be captured: {error}", file=sys.stderr)
                kind = "decode-1-eager"
                torch.cuda.synchronize()
            times = []
            for _ in range(7):
                torch.cuda.synchronize()
                start = time.perf_counter()
                for _ in range(REPEATS):
                    run()
                torch.cuda.synchronize()
                times.append((time.perf_counter() - start) / REPEATS)
        print(f"{name} {kind} {1 / sorted(times)[3]:.1f}", flush=True)
        del run, graph, cache, model
        torch.cuda.empty_cache()


if __name__ == "__main__":
    if sys.argv[1:2] == ["parity"]:
        parity(sys.argv[2])
    elif sys.argv[1:] == ["speed"]:
        speed()
    else:
        sys.exit(__doc__)
