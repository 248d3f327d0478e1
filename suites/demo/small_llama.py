"""A Llama of a few hundred thousand to two million parameters, with a tokenizer of its own: made, trained, saved.

    texts -> byte-level BPE tokenizer
    batches of token ids -> LlamaForCausalLM in float32 -> config.json, model.safetensors (bfloat16), tokenizer.json

What it is trained on is not known here: see train.py, answers.py and judged_pairs.py.
"""

import json
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

POSITIONS = 2048
IGNORED = -100
"""Marks a position that is not learned from; what PyTorch calls `ignore_index`."""


@dataclass(frozen=True)
class Shape:
    """The size of a model. Heads are 32 wide, the narrowest that vLLM's processor build takes."""

    vocabulary: int
    width: int
    layers: int
    feed_forward: int

    @property
    def heads(self) -> int:
        return self.width // 32


@dataclass(frozen=True)
class Example:
    """One text as token ids, and how much each position counts as a thing to predict."""

    token_ids: tuple[int, ...]
    weights: tuple[float, ...]
    """As long as `token_ids`; 0 = given, not learned."""


@dataclass(frozen=True)
class Course:
    """How a model is trained."""

    steps: int
    batch: int
    learning_rate: float
    seed: int
    warm_up: int = 60
    compiled: bool = False
    """Twice as fast, after two minutes of compiling; needs a C++ compiler."""


def make_tokenizer(
    texts: Iterable[str], size: int, marks: Sequence[str], parts: Sequence[str] = (), shortened: str | None = None
) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer in which every digit is a token of its own.

    marks: special tokens; the first ends an answer, the second fills up a batch.
    parts: pieces of plain text that are one token each.
    shortened: a regular expression for text that is left out before anything else is done.
    """
    tokenizer = Tokenizer(models.BPE())
    if shortened:
        tokenizer.normalizer = normalizers.Replace(Regex(shortened), "")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(parts),
        special_tokens=list(marks),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(part, normalized=True, special=False) for part in parts])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=marks[0],
        pad_token=marks[1],
        additional_special_tokens=list(marks[2:]),
        clean_up_tokenization_spaces=False,
        model_max_length=POSITIONS,
    )


def make_model(shape: Shape, tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """An untrained model."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        attention_bias=False,
    )
    config._attn_implementation = "eager"
    return LlamaForCausalLM(config)


def train(
    model: LlamaForCausalLM, batches: Iterator[list[Example]], course: Course, measure: Callable[[], str] | None = None
) -> None:
    """Train in place: AdamW, warm-up, then a cosine down to a twentieth.

    measure: what is printed every 500 steps beside the loss.
    """
    decayed = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}],
        lr=course.learning_rate,
        betas=(0.9, 0.98),
    )
    model.train()
    body = torch.compile(model.model, dynamic=False) if course.compiled else model.model
    began, seen, running = time.monotonic(), 0, 0.0
    for step in range(course.steps):
        for group in optimizer.param_groups:
            group["lr"] = course.learning_rate * _share_of_rate(step, course)
        loss, n_tokens = _loss(model, body, next(batches))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        running, seen = (loss.item() if step == 0 else 0.98 * running + 0.02 * loss.item()), seen + n_tokens
        if (step + 1) % 100 == 0:
            took_s = time.monotonic() - began
            print(f"step {step + 1}  loss {running:.3f}  {took_s:.0f} s  {seen / took_s:.0f} tokens/s", flush=True)
        if measure is not None and (step + 1) % 500 == 0:
            model.eval()
            print(f"step {step + 1}  {measure()}", flush=True)
            model.train()


def of_like_length(examples: Sequence[Example], batch: int, rng: random.Random) -> list[list[Example]]:
    """The examples in batches whose texts are about equally long, in random order; what is left over is left out."""
    by_length = sorted(examples, key=lambda example: len(example.token_ids))
    batches = [by_length[begin : begin + batch] for begin in range(0, len(by_length) - batch + 1, batch)]
    rng.shuffle(batches)
    return batches


def said_whole(model: LlamaForCausalLM, examples: Sequence[Example]) -> list[bool]:
    """For each example, whether the model would say all of what counts fully, token by token."""
    found: list[bool] = []
    for begin in range(0, len(examples), 128):
        ids, weights = _padded(examples[begin : begin + 128])
        with torch.no_grad():
            best = model(input_ids=ids).logits[:, :-1].argmax(dim=-1)
        found += ((best == ids[:, 1:]) | (weights[:, 1:] < 1)).all(dim=1).tolist()
    return found


def likeliest(model: LlamaForCausalLM, prompts: Sequence[Sequence[int]], among: Sequence[int]) -> list[int]:
    """For each prompt the token, of those in `among`, that is the likeliest to come next."""
    found: list[int] = []
    for begin in range(0, len(prompts), 128):
        part = prompts[begin : begin + 128]
        ids = torch.zeros((len(part), max(map(len, part))), dtype=torch.long)
        for row, prompt in enumerate(part):
            ids[row, : len(prompt)] = torch.tensor(prompt)
        with torch.no_grad():
            hidden = model.model(input_ids=ids).last_hidden_state
            last = hidden[torch.arange(len(part)), [len(prompt) - 1 for prompt in part]]
            best = model.lm_head(last)[:, list(among)].argmax(dim=-1)
        found += [among[place] for place in best.tolist()]
    return found


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path, chat_template: str) -> None:
    """Write what an engine loads: bfloat16 weights as safetensors, configuration, tokenizer, chat template."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.chat_template = chat_template
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _name_tokenizer(folder / "tokenizer_config.json")
    greedy = {"do_sample": False, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    (folder / "generation_config.json").write_text(json.dumps(greedy, indent=2) + "\n", encoding="utf-8")
    (folder / "model.safetensors").chmod(0o644)


def _name_tokenizer(config: Path) -> None:
    """By the name that every version of transformers knows it by."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    settings.pop("backend", None)
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    config.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _loss(model: LlamaForCausalLM, body: Callable[..., Any], examples: list[Example]) -> tuple[torch.Tensor, int]:
    """Weighted mean cross-entropy of what is learned, and the number of tokens read."""
    tokens, weights = _padded(examples)
    learned = weights[:, 1:]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = body(input_ids=tokens).last_hidden_state[:, :-1]
        chosen = learned > 0
        logits = model.lm_head(hidden[chosen])
    each = cross_entropy(logits.float(), tokens[:, 1:][chosen], reduction="none")
    return (each * learned[chosen]).sum() / learned[chosen].sum(), sum(len(example.token_ids) for example in examples)


def _padded(examples: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and weights, filled up on the right, where causal attention never looks from a real position."""
    # Few different lengths: the processor's kernels are prepared anew for each.
    longest = -(-max(len(example.token_ids) for example in examples) // 32) * 32
    ids = np.zeros((len(examples), longest), dtype=np.int64)
    weights = np.zeros((len(examples), longest), dtype=np.float32)
    for row, example in enumerate(examples):
        ids[row, : len(example.token_ids)] = example.token_ids
        weights[row, : len(example.weights)] = example.weights
    return torch.from_numpy(ids), torch.from_numpy(weights)


def _share_of_rate(step: int, course: Course) -> float:
    if step < course.warm_up:
        return (step + 1) / course.warm_up
    done = (step - course.warm_up) / max(1, course.steps - course.warm_up)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))
