"""Tiny models on disk for tests: a seeded random Llama with its tokenizer and chat template, and a LoRA adapter for it.

    make_checkpoint(folder)  ->  folder/{config.json, model.safetensors, tokenizer.json, chat_template.jinja, ...}

A random model says nonsense, the same nonsense every time: enough to see what an engine sends, gets and counts. Needs
torch, transformers and tokenizers, which evalkit itself does not: `require` skips the test where they are missing.
"""

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

LABELS = ("none", "partial", "full")
"""Each is one token of the tokenizer, as every digit is."""

CHAT_TEMPLATE = (
    "{% if tools %}<|system|>{{ tools | tojson }}<|end|>{% endif %}"
    "{% for message in messages %}"
    "{% if message.role == 'tool' %}{{ raise_exception('this model knows no tools') }}{% endif %}"
    "<|{{ message.role }}|>{{ message.content }}<|end|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{{ prefix | default('') }}{% endif %}"
)

MAX_LENGTH = 128
"""Tokens the models are made for, prompt and answer together."""

_ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
_END = "<|end|>"
_TEXT = (
    "The answer is one of none, partial or full.",
    "What is 17 + 25? It is 42, and 3 + 4 is 7.",
    "Rate the answer from 1 to 5, then say why.",
    "Grüße aus Köln, приветы из Москвы, 你好世界, नमस्ते दुनिया.",
    'A record: {"score": 5, "verdict": "pass", "note": null}.',
)


def require(*modules: str) -> None:
    """Skip the test (or, at the top of a file, all of it), saying so, where a package is missing. Imports nothing."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}", allow_module_level=True)


def make_checkpoint(
    folder: Path, *, seed: int = 0, hidden_size: int = 64, n_layers: int = 2, max_length: int = MAX_LENGTH
) -> Path:
    """A random Llama in bfloat16 with head size 32; equal arguments give equal bytes."""
    torch, transformers = import_module("torch"), import_module("transformers")
    tokenizer = _tokenizer(max_length)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=2 * hidden_size,
        num_hidden_layers=n_layers,
        num_attention_heads=hidden_size // 32,
        num_key_value_heads=hidden_size // 32,
        head_dim=32,
        max_position_embeddings=max_length,
        # Far from uniform, so that rounding decides no token.
        initializer_range=0.3,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_adapter(folder: Path, *, checkpoint: Path, rank: int = 4, seed: int = 0) -> Path:
    """A LoRA adapter that changes what the checkpoint answers, in the form that peft writes."""
    torch, safetensors = import_module("torch"), import_module("safetensors.torch")
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    size, generator = config["hidden_size"], torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for module in ("q_proj", "v_proj"):
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            tensors[f"{name}.lora_A.weight"] = torch.randn(rank, size, generator=generator)
            tensors[f"{name}.lora_B.weight"] = torch.randn(size, rank, generator=generator)
    folder.mkdir(parents=True)
    safetensors.save_file(tensors, folder / "adapter_model.safetensors")
    adapter: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "base",
        "r": rank,
        "lora_alpha": 2 * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": ["q_proj", "v_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(adapter), encoding="utf-8")
    return folder


def _tokenizer(max_length: int) -> Any:
    """Byte-level BPE over a few lines: every text has tokens, and each digit and each label is one."""
    tokenizers, transformers = import_module("tokenizers"), import_module("transformers")
    pre = tokenizers.pre_tokenizers
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)])
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[_END, *_ROLES],
        initial_alphabet=pre.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(_TEXT, trainer)
    made.add_tokens([*LABELS, "<think>", "</think>"])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=_END,
        pad_token=_END,
        additional_special_tokens=list(_ROLES),
        chat_template=CHAT_TEMPLATE,
        model_max_length=max_length,
    )
