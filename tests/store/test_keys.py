import orjson
from hypothesis import given

from evalkit.core.failure import Failure
from evalkit.core.json_line import parse_line
from evalkit.core.request import JudgeKey, Key
from evalkit.core.response import Response
from evalkit.core.score import Score
from evalkit.store.keys import (
    finished_key_of,
    key_digest,
    response_key_of,
    score_key_digest,
    score_key_of,
)
from evalkit.store.lines import encode_line
from tests.store.strategies import judge_keys, keys, responses


@given(responses)
def test_a_line_as_written_has_the_digest_of_its_record(response: Response) -> None:
    line = parse_line(encode_line(response))
    assert response_key_of(line) == key_digest(response.key, response.judge_key)
    finished = key_digest(response.key, response.judge_key, response.request_digest)
    is_finished = response.failure is None or response.failure.blame != "system"
    assert finished_key_of(line) == (finished if is_finished else None)


@given(keys, keys, judge_keys)
def test_different_keys_have_different_digests(first: Key, second: Key, judge_key: JudgeKey) -> None:
    assert (key_digest(first) == key_digest(second)) == (first == second)
    assert key_digest(first, judge_key) != key_digest(first)


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert key_digest(Key(task="a", sample_id="b1")) != key_digest(Key(task="ab", sample_id="1"))
    assert key_digest(Key(task="a", sample_id="1:b")) != key_digest(Key(task="a1:b", sample_id=""))
    joined, apart = JudgeKey(judge="j", criteria=("a1:b",)), JudgeKey(judge="j", criteria=("a", "b"))
    assert key_digest(Key(task="t", sample_id="1"), joined) != key_digest(Key(task="t", sample_id="1"), apart)


def test_a_score_is_known_by_its_scorer_and_the_answer_it_scores() -> None:
    key = Key(task="t", sample_id="1")
    score = Score(key=key, scorer="exact", scorer_digest="s1", response_digests=("r1",), value=1.0)
    line = orjson.loads(encode_line(score))
    assert score_key_of(line) == score_key_digest(key, "exact", "s1", ("r1",))
    assert score_key_of(line) != score_key_digest(key, "exact", "s1", ("r2",))


def test_a_candidates_failure_is_finished_and_a_systems_is_not() -> None:
    failed = Response(request_digest="d", key=Key(task="t", sample_id="1"))
    for blame, is_finished in (("candidate", True), ("judge", True), ("system", False)):
        failure = Failure(blame=blame, stage="generate", kind="timeout")  # type: ignore[arg-type]
        line = orjson.loads(encode_line(failed.model_copy(update={"failure": failure})))
        assert (finished_key_of(line) is not None) == is_finished
