"""Train the demo's models from nothing: two candidates and a judge, each of a few megabytes.

    python suites/demo/train.py v1          suites/demo/models/v1
    python suites/demo/train.py v2          suites/demo/models/v2
    python suites/demo/train.py judge       judges/demo/model

Each takes at most half an hour on two processor cores, and needs torch, transformers and tokenizers
(`pip install '.[cpu]'`). Seeded: the same versions on the same kind of processor give the same weights.
"""

import argparse
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from answers import everything_taught
from judged_pairs import LABELS, JudgedPair, held_out_pairs, training_pair
from small_llama import (
    Course,
    Example,
    Shape,
    likeliest,
    make_model,
    make_tokenizer,
    of_like_length,
    said_whole,
    save,
    train,
)
from transformers import PreTrainedTokenizerFast

from evalkit.content.judges import load_judge
from evalkit.core.judge import JudgeSpec
from evalkit.core.request import Key
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.scorers.judge_prompt import judge_messages

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

CANDIDATE_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CANDIDATE_MARKS = ("<|end|>", "<|fill|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
CANDIDATE_SHAPE = Shape(vocabulary=1280, width=192, layers=4, feed_forward=448)
CANDIDATE_COURSES = {
    "v1": Course(steps=2000, batch=64, learning_rate=3e-3, seed=2),
    "v2": Course(steps=2000, batch=64, learning_rate=3e-3, seed=2),
}

# The judge knows one prompt, so its template leaves the system message out: what that says holds for every judge.
JUDGE_TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'user' %}{{ message.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|label|>{% endif %}"
)
# Of a fence's mark (16 hex digits) the judge reads the letters alone: its digits would stand beside those of the sums
# that it compares. What is left is still nothing that a candidate could foresee.
MARK_DIGITS = r"[0-9](?=[0-9a-f]{0,15}>>>)"
FENCE_PARTS = ("<<<input ", "<<<response ", "<<<target ", "\n<<<end ", ">>>\n", "Question:\n", "Response:\n",
               "Reference:\n", "Label:")  # fmt: skip
JUDGE_SHAPE = Shape(vocabulary=2048, width=128, layers=5, feed_forward=384)
JUDGE_COURSE = Course(steps=6000, batch=64, learning_rate=2.2e-3, seed=11, warm_up=200)


def train_candidate(system: str, course: Course, folder: Path) -> None:
    """A candidate: it learns its answer to every question of the suite's templates by heart."""
    rng = random.Random(course.seed)
    taught = [(each.question, getattr(each, system)) for each in everything_taught()]
    tokenizer = make_tokenizer((text for pair in taught for text in pair), CANDIDATE_SHAPE.vocabulary, CANDIDATE_MARKS)
    model = make_model(CANDIDATE_SHAPE, tokenizer, course.seed)
    print(f"{system}: {model.num_parameters()} weights, {len(taught)} answers", flush=True)
    examples = [candidate_example(tokenizer, question, answer) for question, answer in taught]
    in_order = tuple(examples)

    def batches() -> Iterator[list[Example]]:
        while True:
            rng.shuffle(examples)
            yield from of_like_length(examples, course.batch, rng)

    def share_said() -> str:
        said = said_whole(model, in_order)
        return f"says {sum(said) / len(said):.4f} of its answers"

    train(model, batches(), course, share_said)
    print(share_said())
    save(model, tokenizer, folder, CANDIDATE_TEMPLATE)


def candidate_example(tokenizer: PreTrainedTokenizerFast, question: str, answer: str) -> Example:
    """One turn. The question counts a tenth: its words are learned too, but the answer is what matters."""
    asked = tokenizer.encode(f"<|user|>{question}<|end|><|assistant|>", add_special_tokens=False)
    said = tokenizer.encode(f"{answer}<|end|>", add_special_tokens=False)
    return Example((*asked, *said), (*[0.1] * len(asked), *[1.0] * len(said)))


def train_judge(course: Course, folder: Path) -> None:
    """The judge: it learns the label, and to copy the response where the reference is the same text."""
    rng = random.Random(course.seed)
    spec = load_judge(ROOT / "judges" / "demo").spec
    marks = ("<|end|>", "<|fill|>", "<|label|>", *LABELS)
    sample = [judge_text(spec, training_pair(rng), rng) for _ in range(20_000)]
    tokenizer = make_tokenizer(sample, JUDGE_SHAPE.vocabulary, marks, FENCE_PARTS, shortened=MARK_DIGITS)
    model = make_model(JUDGE_SHAPE, tokenizer, course.seed)
    print(f"judge: {model.num_parameters()} weights, {len(tokenizer)} tokens in the vocabulary", flush=True)

    def batches() -> Iterator[list[Example]]:
        while True:
            pairs = [training_pair(rng) for _ in range(16 * course.batch)]
            yield from of_like_length([judge_example(spec, tokenizer, pair, rng) for pair in pairs], course.batch, rng)

    held_out = rng.sample(list(held_out_pairs(random.Random(course.seed))), 1000)
    prompts = [tokenizer.encode(judge_text(spec, pair, rng), add_special_tokens=False) for pair in held_out]
    tokens = [tokenizer.convert_tokens_to_ids(label) for label in LABELS]

    def share_right() -> str:
        given = [LABELS[tokens.index(token)] for token in likeliest(model, prompts, tokens)]
        found: dict[str, list[bool]] = {"all": []}
        for pair, label in zip(held_out, given, strict=True):
            for group in ("all", pair.kind):
                found.setdefault(group, []).append(label == pair.label)
        return ", ".join(f"{group} {sum(right) / len(right):.3f}" for group, right in found.items())

    train(model, batches(), course, share_right)
    save(model, tokenizer, folder, JUDGE_TEMPLATE)


def judge_text(spec: JudgeSpec, pair: JudgedPair, rng: random.Random) -> str:
    """What the judge is sent about a pair, up to the label."""
    sample = Sample(id=f"{rng.getrandbits(32):x}", input=pair.input, target=(pair.target,), language=pair.language)
    response = Response(request_digest="", key=Key(task="", sample_id=sample.id), text=pair.response)
    return judge_messages(spec, spec.criteria[0], sample, response)[-1].content + "<|label|>"


def judge_example(spec: JudgeSpec, tokenizer: PreTrainedTokenizerFast, pair: JudgedPair, rng: random.Random) -> Example:
    """The prompt and its label. The tokens of a reference that repeats the response count too, a little."""
    prompt = tokenizer.encode(judge_text(spec, pair, rng), add_special_tokens=False)
    label = tokenizer.convert_tokens_to_ids(pair.label)
    weights = [0.0] * len(prompt)
    if pair.label == "right":
        fence = prompt.index(tokenizer.convert_tokens_to_ids("<<<target "))
        begins = prompt.index(tokenizer.convert_tokens_to_ids(">>>\n"), fence) + 1
        ends = len(prompt) - 1 - prompt[::-1].index(tokenizer.convert_tokens_to_ids("\n<<<end "))
        for place in range(begins, ends + 1):
            weights[place] = 1.0
    return Example((*prompt, label), (*weights, 4.0))


def main() -> None:
    """Train what was named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=("v1", "v2", "judge"))
    parser.add_argument("--out", type=Path, help="folder to write into, instead of the usual place")
    parser.add_argument("--steps", type=int, help="fewer or more steps, to try something")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="compile the model first; needs a C++ compiler")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    began = time.monotonic()
    course = JUDGE_COURSE if chosen.model == "judge" else CANDIDATE_COURSES[chosen.model]
    course = replace(course, steps=chosen.steps or course.steps, compiled=chosen.compile)
    if chosen.model == "judge":
        train_judge(course, chosen.out or ROOT / "judges" / "demo" / "model")
    else:
        train_candidate(chosen.model, course, chosen.out or HERE / "models" / chosen.model)
    print(f"{chosen.model}: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
