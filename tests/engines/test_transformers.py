"""The engine `transformers` with a tiny random model."""

import asyncio
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.request import AnswerForm, Key, Request, Sampling
from evalkit.core.response import Response
from evalkit.engines.base import EngineContext
from evalkit.engines.transformers import TransformersEngine
from tests.checkpoints import LABELS, MAX_LENGTH, require

require("torch", "transformers")

AS_LABELS = AnswerForm(kind="labels", labels=LABELS)
BRIEF = Sampling(max_tokens=8)


def ask(text: str = "17 + 25?", *, role: str = "user", **fields: Any) -> Request:
    message = Message.model_validate({"role": role, "content": text})
    return Request(key=Key(task="t", sample_id=text), messages=(message,), **({"sampling": BRIEF} | fields))


def answers(model: Path, *requests: Request, **engine_args: Any) -> list[Response]:
    candidate = Candidate(
        name="c", engine="transformers", model=str(model), dtype="float32", engine_args={"device": "cpu"} | engine_args
    )

    async def run() -> list[Response]:
        engine = TransformersEngine(candidate, EngineContext())
        try:
            await engine.start()
            return await asyncio.wait_for(asyncio.gather(*[engine.respond(request) for request in requests]), 60)
        finally:
            await engine.close()
            await engine.close()

    return asyncio.run(run())


def failed(response: Response) -> tuple[str, str] | None:
    return response.failure and (response.failure.blame, response.failure.kind)


def test_what_stands_beside_a_request_changes_nothing_of_its_answer(checkpoint: Path) -> None:
    requests = [
        ask("17 " * number + "?", sampling=Sampling(max_tokens=4 + number, temperature=number % 3, seed=number))
        for number in range(20)
    ]
    together = answers(checkpoint, *requests)
    apart = answers(checkpoint, *requests, batch_size=1)
    few = answers(checkpoint, *requests, batch_size=7)
    assert [response.text for response in together] == [response.text for response in apart]
    assert [response.text for response in together] == [response.text for response in few]
    assert len({response.text for response in together}) > 10
    assert all(response.usage.output_tokens for response in together)


def test_a_label_comes_in_one_step_with_the_mass_of_all_labels(checkpoint: Path) -> None:
    seeded = [Sampling(temperature=2.0, top_p=0.99, seed=seed) for seed in range(60)]
    greedy, *drawn = answers(checkpoint, *[ask(answer_form=AS_LABELS, sampling=s) for s in [Sampling(), *seeded]])
    assert greedy.label_logprobs is not None
    assert greedy.label_logprobs.keys() == set(LABELS)
    assert greedy.text == max(greedy.label_logprobs, key=greedy.label_logprobs.__getitem__)
    assert 0 < math.fsum(map(math.exp, greedy.label_logprobs.values())) < 0.5
    assert (greedy.finish_reason, greedy.usage.output_tokens, greedy.failure) == ("stop", 1, None)
    assert len({response.text for response in drawn}) > 1
    assert {response.text for response in drawn} <= set(LABELS)


def test_what_is_wrong_with_one_request_fails_it_alone(checkpoint: Path) -> None:
    alike = AnswerForm(kind="labels", labels=("none", "none at all"))
    found = answers(
        checkpoint,
        ask("a", sampling=Sampling(max_tokens=999)),
        ask("17 " * MAX_LENGTH),
        ask("b", role="tool"),
        ask("c", answer_form=alike),
        ask("d", answer_form=AnswerForm(kind="json_schema", json_schema={"type": "object"})),
    )
    assert [failed(response) for response in found] == [
        ("candidate", "ran_out_of_tokens"),
        ("candidate", "prompt_too_long"),
        ("system", "chat_template"),
        ("system", "answer_form_not_supported"),
        ("system", "answer_form_not_supported"),
    ]
    assert found[0].text
    assert found[0].usage.output_tokens == MAX_LENGTH - (found[0].usage.prompt_tokens or 0)


def test_a_stop_text_ends_the_answer(checkpoint: Path) -> None:
    [whole] = answers(checkpoint, ask())
    stop = whole.text[3:5]
    [response] = answers(checkpoint, ask(sampling=Sampling(max_tokens=8, stop=("never", stop))))
    expected = whole.text[: whole.text.index(stop)]
    assert (response.text, response.finish_reason, response.stop_reason) == (expected, "stop", stop)


def test_times_are_in_order(checkpoint: Path) -> None:
    [response] = answers(checkpoint, ask(send_at_s=0.0))
    timing = response.timing
    assert timing.queued_s is not None and timing.ttft_s is not None and timing.e2e_s is not None
    assert 0 <= timing.queued_s <= timing.ttft_s <= timing.e2e_s
    assert timing.scheduled_s == 0.0


def test_what_cannot_be_started_is_said_with_its_mend(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"max_model_len is 4096, and the model was made for 128\. Lower it"):
        answers(checkpoint, max_model_len=4096)
    unknown = shutil.copytree(checkpoint, tmp_path / "unknown")
    (unknown / "config.json").write_text('{"model_type": "nosuch"}')
    with pytest.raises(InputError, match="transformers could not load the model"):
        answers(unknown)
    mute = shutil.copytree(checkpoint, tmp_path / "mute")
    (mute / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match=r"has no chat template.*engine_args\.chat_template"):
        answers(mute)
