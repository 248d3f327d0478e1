import asyncio
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.request import JudgeKey, Key, Request
from evalkit.core.response import Response, Usage
from evalkit.engines.base import EngineContext
from evalkit.engines.recorded_answers import RecordedAnswers
from evalkit.engines.replay import ReplayEngine


def row(item_id: str = "i1", system: str = "a", text: Any = "yes", **more: Any) -> dict[str, Any]:
    return {"item_id": item_id, "system": system, "text": text, **more}


def write(path: Path, *rows: Any) -> Path:
    content = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in rows)
    packed = gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode()
    path.write_bytes(packed)
    return path


def ask(sample_id: str, attempt: int = 0, judge_key: JudgeKey | None = None) -> Request:
    messages = (Message(role="user", content="?"),)
    return Request(key=Key(task="t", sample_id=sample_id, attempt=attempt), judge_key=judge_key, messages=messages)


def replay(
    file: Path | str, system: str, *requests: Request, context: EngineContext | None = None
) -> tuple[list[Response], dict[str, str]]:
    candidate = Candidate(name="r", engine="replay", model=str(file), engine_args={"system": system})

    async def run() -> tuple[list[Response], dict[str, str]]:
        engine = ReplayEngine(candidate, context or EngineContext())
        await engine.start()
        try:
            return [await engine.respond(request) for request in requests], engine.served
        finally:
            await engine.close()

    return asyncio.run(run())


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.jsonl.gz"])
def test_each_answer_is_found_by_sample_and_attempt_and_system(tmp_path: Path, name: str) -> None:
    file = write(
        tmp_path / name,
        row("i1", "a", "first", usage={"prompt_tokens": 7, "output_tokens": 2}),
        "",
        row("i1", "b", "of b"),
        row("i1", "a", "second", attempt=1),
        row("i2", "a", "ünï\ud800", meta={"ignored": True}),
    )
    responses, _ = replay(file, "a", ask("i2"), ask("i1", 1), ask("i1"))
    assert [response.text for response in responses] == ["ünï\ud800", "second", "first"]
    assert responses[2].usage == Usage(prompt_tokens=7, output_tokens=2)
    assert all(response.failure is None for response in responses)
    assert responses[0].usage == Usage()


def test_what_is_not_recorded_is_the_systems_failure(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", row("i1"), row("i2", text=None))
    responses, _ = replay(file, "a", ask("i9"), ask("i1", attempt=3), ask("i2"))
    for response in responses:
        assert response.failure is not None
        assert (response.failure.blame, response.failure.kind) == ("system", "not_recorded")
    assert 'no answer of "a" to "i1", attempt 3' in str(responses[1].failure)


def test_an_answer_that_is_no_text_is_missing_and_its_line_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", row("i1"), row("i2", text=True))
    [response], _ = replay(file, "a", ask("i2"))
    assert response.failure is not None
    assert (response.text, response.failure.kind) == ("", "not_a_text")
    assert response.failure.message == f"{file}:2: text is true, expected a string"


def test_an_unknown_system_is_refused_with_the_nearest_and_all_there_are(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", row(system="llama2new"), row(system="mistral"))
    with pytest.raises(InputError) as caught:
        replay(file, "llama2-new")
    assert str(caught.value) == (
        f'{file}: system "llama2-new" has no answers here. Did you mean "llama2new"? '
        "Systems in this file: llama2new, mistral. Write replay:FILE#SYSTEM."
    )


def test_no_system_is_refused_with_all_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no system is named. Systems in this file: a\."):
        replay(write(tmp_path / "a.jsonl", row()), "")


def test_an_empty_file_holds_no_answers(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no answers"):
        replay(write(tmp_path / "a.jsonl"), "a")


def test_an_answer_given_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", row("i1"), row("i2"), row("i1", "b"), row("i1"))
    with pytest.raises(InputError, match=r'a.jsonl:4: item "i1", system "a", attempt 0 has an answer on line 1 al'):
        replay(file, "a")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"item_id": "i1" "system": "a", "text": ""}', ":2:18: not JSON: Expecting ',' delimiter"),
        ('{"item_id": "i1", "system": "a", "text": NaN}', ":2:42: NaN is not JSON"),
        ("[1, 2]", r":2:1: each line must be one JSON object"),
        ('{"item_id": 7, "system": "a", "text": ""}', ":2: item_id is 7, expected a string"),
        ('{"item_id": "i1", "text": ""}', ":2: system is missing"),
        ('{"item_id": "i1", "system": "a", "text": "", "attempt": -1}', ":2: attempt is -1, expected a whole number"),
        ('{"item_id": "i1", "system": "a", "usage": {"tokens": 3}}', ":2: usage.tokens is 3: .* Known: prompt_tokens,"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        replay(write(tmp_path / "a.jsonl", row("i0"), line), "a")


def test_bytes_that_are_no_utf8_are_refused_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"item_id": "\xff", "system": "a"}\n')
    with pytest.raises(InputError, match=r"a.jsonl:1:14: byte 0xff is not UTF-8"):
        replay(file, "a")


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(row("i1", text="x")).encode())
    assert replay(file, "a", ask("i1"))[0][0].text == "x"


def test_a_torn_gzip_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl.gz", *[row(f"i{number}") for number in range(100)])
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a.jsonl.gz: cannot be unpacked"):
        replay(file, "a")


def test_the_file_is_looked_for_in_the_data_folders_in_turn(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()
    write(second / "a.jsonl", row("i1", text="found"))
    responses, served = replay("a.jsonl", "a", ask("i1"), context=EngineContext(data_folders=(first, second)))
    assert responses[0].text == "found"
    assert served["file"] == "a.jsonl"


def test_a_missing_file_is_refused_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        replay("none.jsonl", "a", context=EngineContext(data_folders=(tmp_path,)))
    looked = f"(looked in {Path.cwd()}, {tmp_path})"
    assert str(caught.value).startswith(f"none.jsonl: no such file of recorded answers {looked}")


def test_what_was_served_changes_with_the_files_content(tmp_path: Path) -> None:
    before = replay(write(tmp_path / "a.jsonl", row(text="x")), "a")[1]
    after = replay(write(tmp_path / "a.jsonl", row(text="y")), "a")[1]
    assert before["digest"] != after["digest"]


def test_recorded_answers_do_not_judge(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="recorded answers cannot judge"):
        replay(write(tmp_path / "a.jsonl", row("i1")), "a", ask("i1", judge_key=JudgeKey(judge="j")))


@given(
    st.dictionaries(
        st.tuples(st.text(max_size=5), st.sampled_from(["a", "b"]), st.integers(0, 3)), st.text(max_size=20), min_size=1
    )
)
def test_every_answer_that_was_written_is_found(
    tmp_path_factory: pytest.TempPathFactory, answers: dict[tuple[str, str, int], str]
) -> None:
    path = tmp_path_factory.mktemp("answers") / "a.jsonl"
    rows = [row(item_id, system, text, attempt=attempt) for (item_id, system, attempt), text in answers.items()]
    write(path, *rows)
    for system in {system for _, system, _ in answers}:
        recorded = RecordedAnswers(path, system)
        mine = {(item_id, attempt): text for (item_id, of, attempt), text in answers.items() if of == system}
        assert len(recorded) == len(mine)
        for (item_id, attempt), text in mine.items():
            answer = recorded.find(item_id, attempt)
            assert answer is not None
            assert answer.text == text
        assert recorded.find("not there", 0) is None
        recorded.close()


def test_real_recorded_answers_are_all_found(recorded_data: Path) -> None:
    file = recorded_data / "xstest" / "responses.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    assert len(Counter(entry["system"] for entry in rows)) == 5
    mine = [entry for entry in rows if entry["system"] == "llama2new"]
    responses, _ = replay(file, "llama2new", *[ask(entry["item_id"]) for entry in mine])
    assert [response.text for response in responses] == [entry["text"] for entry in mine]
