"""The engine `vllm` with a real vLLM and tiny random models. Engines take seconds to start, so that few are started:
the tests of one stand together, and `Opened` keeps it until another is asked for.
"""

import asyncio
import json
import math
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.request import AnswerForm, JudgeKey, Key, Request, Sampling
from evalkit.core.response import Response
from evalkit.engines.base import EngineContext
from evalkit.engines.transformers import TransformersEngine
from evalkit.engines.vllm import VllmEngine
from tests.checkpoints import LABELS, MAX_LENGTH, make_adapter, make_checkpoint, require

require("vllm", "torch", "transformers")

BREAKING, DEADLY_SEED = "tests.engines.breaking_processor:Breaking", 666
AS_LABELS = AnswerForm(kind="labels", labels=LABELS)
BRIEF = Sampling(max_tokens=8)
SCHEMA = {
    "type": "object",
    "properties": {"score": {"enum": [1, 5]}, "verdict": {"enum": ["pass", "fail"]}},
    "required": ["score", "verdict"],
    "additionalProperties": False,
}


def ask(text: str = "17 + 25?", *, role: str = "user", **fields: Any) -> Request:
    message = Message.model_validate({"role": role, "content": text})
    return Request(key=Key(task="t", sample_id=text), messages=(message,), **({"sampling": BRIEF} | fields))


class Opened:
    """One engine at a time, kept while the same one is asked for."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._engine: VllmEngine | None = None
        self._candidate: Candidate | None = None

    def engine(self, candidate: Candidate) -> VllmEngine:
        if candidate != self._candidate:
            self.close()
            engine = VllmEngine(candidate, EngineContext())
            self._runner.run(engine.start())
            self._engine, self._candidate = engine, candidate
        assert self._engine is not None
        return self._engine

    def answers(self, candidate: Candidate, *requests: Request) -> list[Response]:
        engine = self.engine(candidate)

        async def all_at_once() -> list[Response]:
            return await asyncio.wait_for(asyncio.gather(*[engine.respond(request) for request in requests]), 60)

        return self._runner.run(all_at_once())

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)

    def close(self) -> None:
        if self._engine is not None:
            self._runner.run(self._engine.close())
            self._runner.run(self._engine.close())
        self._engine = self._candidate = None


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    made = Opened()
    yield made
    made.close()


@pytest.fixture(scope="module")
def main(checkpoint: Path) -> Candidate:
    """In float32, so that another implementation rounds alike."""
    return Candidate(name="main", engine="vllm", model=str(checkpoint), dtype="float32")


def one(opened: Opened, candidate: Candidate, request: Request) -> Response:
    [response] = opened.answers(candidate, request)
    return response


# The main engine.


def test_an_answer_comes_with_its_tokens_and_times(opened: Opened, main: Candidate) -> None:
    request = ask(judge_key=JudgeKey(judge="j"), send_at_s=0.5)
    response = one(opened, main, request)
    assert response.text
    assert (response.request_digest, response.key, response.judge_key) == (
        request.digest,
        request.key,
        request.judge_key,
    )
    assert (response.usage.prompt_tokens, response.usage.output_tokens) == (10, 8)
    timing = response.timing
    assert timing.sent_s is not None and timing.queued_s is not None
    assert timing.ttft_s is not None and timing.e2e_s is not None
    assert 0 <= timing.queued_s <= timing.ttft_s <= timing.e2e_s < 60
    assert timing.scheduled_s == 0.5
    assert opened.engine(main).warnings == ()


def test_greedy_answers_are_the_same_again_and_those_of_transformers(opened: Opened, main: Candidate) -> None:
    requests = [ask(f"what is {number} + 25?", sampling=Sampling(max_tokens=24)) for number in range(12)]
    first = [response.text for response in opened.answers(main, *requests)]
    again = [one(opened, main, request).text for request in requests]
    other = [response.text for response in transformers_answers(main, requests)]
    assert first == again
    # vLLM keeps back what follows bytes that make no letter yet; transformers shows that something was there.
    for text, longer in zip(first, other, strict=True):
        rest = longer.removeprefix(text.rstrip("\ufffd"))
        assert rest == "" or rest.startswith("\ufffd")
    assert len(set(first)) > 6


def transformers_answers(main: Candidate, requests: list[Request]) -> list[Response]:
    async def run() -> list[Response]:
        engine = TransformersEngine(main.model_copy(update={"engine": "transformers"}), EngineContext())
        await engine.start()
        try:
            return await asyncio.gather(*[engine.respond(request) for request in requests])
        finally:
            await engine.close()

    return asyncio.run(run())


def test_a_label_comes_in_one_step_with_the_mass_of_all_labels(opened: Opened, main: Candidate) -> None:
    request = ask(answer_form=AS_LABELS, sampling=Sampling(max_tokens=300))
    response = one(opened, main, request)
    expected = logprobs_by_hand(main.model, request)
    assert response.label_logprobs == pytest.approx(expected, abs=1e-3)
    assert response.text == max(expected, key=expected.__getitem__)
    assert (response.finish_reason, response.usage.output_tokens, response.failure) == ("stop", 1, None)
    assert 0 < math.fsum(map(math.exp, expected.values())) < 0.5  # of all tokens, not of the labels alone


def logprobs_by_hand(model: str, request: Request) -> dict[str, float]:
    torch, transformers = import_module("torch"), import_module("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    text = f"<|user|>{request.messages[0].content}<|end|><|assistant|>"
    with torch.inference_mode():
        logits = loaded(torch.tensor([tokenizer.encode(text, add_special_tokens=False)])).logits[0, -1]
    logprobs = torch.log_softmax(logits, dim=-1)
    return {label: float(logprobs[tokenizer.encode(label, add_special_tokens=False)[0]]) for label in LABELS}


def test_votes_with_seeds_differ_and_come_again(opened: Opened, main: Candidate) -> None:
    close = ("1", "2", "3", "4", "5")
    requests = [
        ask(
            "Rate it.",
            answer_form=AnswerForm(kind="labels", labels=close),
            sampling=Sampling(temperature=2.0, seed=seed),
        )
        for seed in range(40)
    ]
    first, again = ([answer.text for answer in opened.answers(main, *requests)] for _ in range(2))
    assert first == again
    assert set(first) <= set(close)
    assert len(set(first)) > 1


def test_labels_that_begin_alike_are_still_held_to(opened: Opened, main: Candidate) -> None:
    labels = ("none", "none at all")
    response = one(opened, main, ask(answer_form=AnswerForm(kind="labels", labels=labels), sampling=Sampling()))
    assert response.text in labels
    assert (response.label_logprobs, response.failure) == (None, None)


def test_an_answer_keeps_to_a_json_schema(opened: Opened, main: Candidate) -> None:
    form = AnswerForm(kind="json_schema", json_schema=SCHEMA)
    response = one(opened, main, ask(answer_form=form, sampling=Sampling(temperature=1.0, seed=1, max_tokens=60)))
    assert json.loads(response.text).keys() == {"score", "verdict"}
    assert response.failure is None


def test_what_is_wrong_with_one_request_fails_it_alone(opened: Opened, main: Candidate) -> None:
    unknown = AnswerForm(kind="json_schema", json_schema={"type": "nosuch"})
    requests = [
        ask("a"),
        ask("17 " * MAX_LENGTH),
        ask("b", role="tool"),
        ask("c", answer_form=unknown),
        ask("d", sampling=Sampling(temperature=5.0)),
        ask("e\ud800"),
    ]
    answers = opened.answers(main, *requests)
    failures = [
        response.failure and (response.failure.blame, response.failure.kind, response.failure.message)
        for response in answers
    ]
    cut_off = ("candidate", "ran_out_of_tokens", "the answer was cut off at 8 tokens")
    assert failures[0] == failures[5] == cut_off
    assert failures[1] == (
        "candidate",
        "prompt_too_long",
        "the prompt has 387 tokens; with at least one for the answer that is more than the 128 the model takes",
    )
    assert failures[2] == (
        "system",
        "chat_template",
        "the model's chat template cannot render these messages: this model knows no tools",
    )
    assert failures[3] is not None and failures[3][:2] == ("system", "refused") and "nosuch" in failures[3][2]
    assert failures[4] is not None and failures[4][:2] == ("system", "refused") and "temperature" in failures[4][2]


def test_an_answer_that_is_cut_off_by_either_limit_keeps_its_text(opened: Opened, main: Candidate) -> None:
    by_request, by_model = opened.answers(
        main, ask(sampling=Sampling(max_tokens=3)), ask(sampling=Sampling(max_tokens=999))
    )
    assert by_request.text and by_model.text.startswith(by_request.text.rstrip("\ufffd"))
    assert by_request.failure is not None and by_model.failure is not None
    assert by_request.failure.message == "the answer was cut off at 3 tokens"
    assert by_model.failure.message == (
        "the answer was cut off after 118 tokens: the prompt has 10, and the model takes 128 in all"
    )


def test_a_stop_text_ends_the_answer(opened: Opened, main: Candidate) -> None:
    whole = one(opened, main, ask()).text
    stop = whole[3:5]
    response = one(opened, main, ask(sampling=Sampling(max_tokens=8, stop=(stop,))))
    assert (response.text, response.finish_reason, response.stop_reason) == (whole[: whole.index(stop)], "stop", stop)


def test_a_beginning_that_was_seen_is_not_read_again(opened: Opened, main: Candidate) -> None:
    for response in (one(opened, main, ask("17 " * 20 + end)) for end in ("a", "b")):
        cached = response.usage.cached_tokens
    assert cached == 32  # one block


def test_a_request_that_nobody_waits_for_leaves_the_engine(opened: Opened, main: Candidate) -> None:
    engine = opened.engine(main)
    worker = engine._session._worker

    async def run() -> None:
        tasks = [asyncio.create_task(engine.respond(ask(sampling=Sampling(max_tokens=110)))) for _ in range(4)]
        while not worker.is_busy():
            await asyncio.sleep(0.001)
        for task in tasks[1:]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[0], Response)
        assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[1:])

    opened.run(asyncio.wait_for(run(), 60))
    assert not worker.is_busy()


# A second engine in the same process, with an adapter, a template of its own and a logits processor that breaks.


@pytest.fixture(scope="module")
def second(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    folder = tmp_path_factory.mktemp("second")
    template = folder / "template.jinja"
    template.write_text("{% for m in messages %}<|user|>{{ m.content }}<|end|>{% endfor %}<|assistant|>{{ prefix }}")
    arguments = {
        "lora": str(make_adapter(folder / "adapter", checkpoint=checkpoint)),
        "chat_template": str(template),
        "max_model_len": 64,
        "reasoning_parser": "deepseek_r1",
        "vllm_args": {"logits_processors": [BREAKING]},
    }
    return Candidate(
        name="second",
        engine="vllm",
        model=str(checkpoint),
        dtype="float32",
        engine_args=arguments,
        chat_template_args={"prefix": ""},
    )


def test_a_second_engine_starts_where_the_first_was_and_its_adapter_answers(
    opened: Opened, main: Candidate, second: Candidate, capfd: pytest.CaptureFixture[str]
) -> None:
    first = one(opened, main, ask()).text
    answer = one(opened, second, ask())
    assert answer.usage.prompt_tokens == 10
    # It never ends its thought: all of it is thinking, and there is no answer.
    assert (answer.text, answer.finish_reason) == ("", "length")
    assert answer.reasoning not in ("", None, first)
    prompt_too_long = one(opened, second, ask("17 " * 30)).failure
    assert prompt_too_long is not None and "more than the 64 the model takes" in prompt_too_long.message
    assert capfd.readouterr() == ("", "")


def test_a_dead_engine_fails_what_is_under_way_and_what_comes_later(
    opened: Opened, second: Candidate, capfd: pytest.CaptureFixture[str]
) -> None:
    deadly = ask("b", sampling=Sampling(max_tokens=8, temperature=1.0, seed=DEADLY_SEED))
    answers = opened.answers(second, ask("a"), deadly, ask("c"))
    answers += opened.answers(second, ask("later"))
    assert [response.failure and response.failure.kind for response in answers] == ["engine_died"] * 4
    assert answers[3].failure is not None
    assert answers[3].failure.blame == "system"
    assert answers[3].failure.message == "the engine died: the logits processor has a bug"
    assert "Traceback" not in "".join(capfd.readouterr())


# What cannot be started.


def refusal(opened: Opened, model: Path, **engine_args: Any) -> str:
    opened.close()
    engine = VllmEngine(Candidate(name="c", engine="vllm", model=str(model), engine_args=engine_args), EngineContext())
    with pytest.raises(InputError) as raised:
        opened.run(engine.start())
    opened.run(engine.close())
    assert "\n" not in str(raised.value)
    return str(raised.value)


def variant(checkpoint: Path, folder: Path, **config: Any) -> Path:
    copy = shutil.copytree(checkpoint, folder / "variant")
    before = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(before | config))
    return copy


def test_what_cannot_be_started_is_said_with_its_mend(opened: Opened, checkpoint: Path, tmp_path: Path) -> None:
    unknown = variant(checkpoint, tmp_path, architectures=["NoSuchForCausalLM"], model_type="nosuch")
    said = refusal(opened, unknown)
    assert "does not know the model's architecture. Use a newer vLLM, or engine: transformers. (vLLM: " in said
    said = refusal(opened, checkpoint, max_model_len=4096)
    assert "engine_args.max_model_len is more than the model was made for" in said
    said = refusal(opened, checkpoint, cpu_kv_cache_gib=0.00001)
    assert "not enough memory for the KV cache. Lower engine_args.max_model_len, or raise engine_args.cpu_kv" in said
    said = refusal(opened, checkpoint, vllm_args={"max_num_batchd_tokens": 1})
    assert (
        'engine_args.vllm_args: argument "max_num_batchd_tokens" is not known. Did you mean "max_num_batched_t' in said
    )
    said = refusal(opened, checkpoint, reasoning_parser="deepseek_r")
    assert 'engine_args.reasoning_parser "deepseek_r" is not known. Did you mean "deepseek_r1"?' in said


def test_a_model_without_a_chat_template_is_refused_before_it_is_loaded(
    opened: Opened, checkpoint: Path, tmp_path: Path
) -> None:
    copy = variant(checkpoint, tmp_path)
    (copy / "chat_template.jinja").unlink()
    assert "has no chat template" in refusal(opened, copy)
    assert "engine_args.chat_template" in refusal(opened, copy)


def test_torn_weights_are_refused_before_they_are_loaded(opened: Opened, checkpoint: Path, tmp_path: Path) -> None:
    copy = variant(checkpoint, tmp_path)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    assert "model.safetensors: the weights are no whole safetensors file" in refusal(opened, copy)


def test_an_adapter_that_does_not_fit_is_refused(opened: Opened, checkpoint: Path, tmp_path: Path) -> None:
    other = make_checkpoint(tmp_path / "wide", hidden_size=96)
    adapter = make_adapter(tmp_path / "adapter", checkpoint=other)
    assert "engine_args.lora" in refusal(opened, checkpoint, lora=str(adapter))
