"""Shards: every sample in exactly one, clusters whole, and a sample's shard its own affair."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.content.suites import load_suite
from evalkit.core.errors import InputError
from evalkit.core.sample import Sample
from evalkit.runner.plan import Filter, planned_samples
from evalkit.runner.shard import Shard, read_shard
from tests.runner.suites import write_suite

names = st.text(st.characters(), max_size=20)
samples = st.builds(Sample, id=names, input=st.just("?"), cluster=st.none() | names)


@given(samples, names, st.integers(1, 40))
def test_every_sample_is_in_exactly_one_shard(sample, task, parts):
    assert sum(Shard(part, parts).holds(task, sample) for part in range(1, parts + 1)) == 1


@given(samples, samples, names, st.integers(1, 40))
def test_samples_of_one_cluster_stay_together(one, other, task, parts):
    other = other.model_copy(update={"cluster": one.cluster or "together"})
    one = one.model_copy(update={"cluster": other.cluster})
    for part in range(1, parts + 1):
        assert Shard(part, parts).holds(task, one) == Shard(part, parts).holds(task, other)


def test_a_sample_s_shard_is_the_same_in_every_release():
    made = [next(k for k in range(1, 9) if Shard(k, 8).holds("sums", Sample(id=f"q{n}", input="?"))) for n in range(8)]
    assert made == [4, 3, 4, 1, 2, 8, 3, 3]


def test_shards_are_of_about_equal_size():
    held = [sum(Shard(part, 4).holds("t", Sample(id=str(n), input="?")) for n in range(4000)) for part in range(1, 5)]
    assert sum(held) == 4000
    assert min(held) > 900


@pytest.mark.parametrize("text", ["0/8", "9/8", "3", "3/", "a/8", "-1/8", "1/0", "3/8/2", "", "3 /8", "٣/8"])
def test_what_is_no_shard_is_refused_in_one_sentence(text):
    with pytest.raises(InputError, match="expected K/N"):
        read_shard(text)


def ids(suite: Path, **chosen) -> list[str]:
    return [sample.id for _, sample in planned_samples(load_suite(suite), Filter(**chosen), ())]


@pytest.mark.parametrize("chosen", [{}, {"limit": 7}, {"languages": ("ar",)}, {"languages": ("ar",), "limit": 3}])
def test_shards_part_what_the_other_filters_leave(tmp_path, chosen):
    suite = write_suite(tmp_path / "suite", n=30)
    parts = [ids(suite, shard=Shard(part, 5), **chosen) for part in range(1, 6)]
    assert sorted(name for part in parts for name in part) == sorted(ids(suite, **chosen))


def test_added_samples_move_no_other_one(tmp_path):
    few, many = write_suite(tmp_path / "few", n=20), write_suite(tmp_path / "many", n=60)
    for part in range(1, 4):
        before, after = ids(few, shard=Shard(part, 3)), ids(many, shard=Shard(part, 3))
        assert after[: len(before)] == before


def test_a_filter_that_leaves_nothing_is_still_an_error_and_an_empty_shard_is_not(tmp_path):
    suite = write_suite(tmp_path / "suite", n=2)
    assert sum(len(ids(suite, shard=Shard(part, 9))) for part in range(1, 10)) == 2
    with pytest.raises(InputError, match="no sample is left"):
        ids(suite, shard=Shard(1, 2), languages=("sw",))
