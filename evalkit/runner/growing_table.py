"""One task's table while a run's files are read: first every sample, then scores and responses in any order.

A line that speaks of the same sample and attempt as an earlier one takes its place.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.comparison.sample_ids import SampleIds
from evalkit.comparison.table import ScorerColumn, TaskTable, TextArray
from evalkit.core.errors import InputError
from evalkit.core.sample import Sample
from evalkit.core.suite import Task
from evalkit.stats.clusters import codes_of_numbers
from evalkit.store.seen import digest_64

_MOST_TOKENS = 2**32 - 1
_NOTHING: dict[str, Any] = {}
_VALUES = (float, int, type(None))
_OWN_CLUSTER = 1 << 63
"""Added to a sample's row where it stands for itself: no digest of a named cluster is that large."""


class _Numbered:
    """Numbers for values that occur again and again, in the order in which they are met."""

    def __init__(self, *first: object):
        self.values: list[object] = list(first)
        self._numbers: dict[object, int] = {value: number for number, value in enumerate(first)}

    def number(self, value: object) -> int:
        """The value's number."""
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        return number


class _Failures(_Numbered):
    """Whose failure, at which stage, of which kind: 0 = none, 1 = nothing is on file, which is the system's."""

    def __init__(self, missing: tuple[str, str, str]):
        super().__init__(None, missing)

    def of(self, failure: Mapping[str, Any] | None) -> int:
        return 0 if failure is None else self.number((failure["blame"], failure["stage"], failure["kind"]))

    def counted(self, numbers: NDArray[np.integer[Any]]) -> Counter[tuple[str, str, str]]:
        """How often each kind occurs."""
        found: Counter[tuple[str, str, str]] = Counter()
        for number, count in enumerate(np.bincount(numbers.ravel(), minlength=len(self.values))):
            kind = self.values[number]
            if isinstance(kind, tuple) and count:
                found[kind] += int(count)
        return found


class _GrowingColumn:
    """One scorer's scores."""

    def __init__(self, shape: tuple[int, int]):
        self.unit = ""
        self.values_NK = np.full(shape, np.nan)
        self.label_NK = np.zeros(shape, dtype=np.int32)
        self.failure_NK = np.ones(shape, dtype=np.int16)
        self.labels = _Numbered(None)
        self.failures = _Failures(("system", "score", "not_scored"))

    def finished(self) -> ScorerColumn:
        blames = [kind[0] if isinstance(kind, tuple) else None for kind in self.failures.values]
        labels_NK = _looked_up(self.labels.values, self.label_NK)
        return ScorerColumn(self.unit, self.values_NK, labels_NK, _looked_up(blames, self.failure_NK))


class GrowingTable:
    """One task's table while it is read. N samples, K attempts."""

    def __init__(self, task: Task, attempts: int, columns: tuple[str, ...], keep_ids: bool = True):
        """columns: those to slice by. keep_ids: whether anybody asks later which sample a row is."""
        self._task = task
        self._attempts = attempts
        self._ids = SampleIds()
        self._keep_ids = keep_ids
        self._digests = array("Q")
        self._clusters = array("Q")
        self._columns = {name: (_Numbered(None), array("i")) for name in columns}

    def __len__(self) -> int:
        return len(self._clusters)

    def add_sample(self, sample: Sample) -> None:
        """One more row. Raises InputError for a column that is none."""
        self._digests.append(digest_64(sample.id))
        # 63 bits for a named cluster: two of a million are equal by chance once in ten million runs.
        self._clusters.append(_OWN_CLUSTER + len(self) if sample.cluster is None else digest_64(sample.cluster) >> 1)
        if self._keep_ids:
            self._ids.append(sample.id)
        for name, (known, numbers) in self._columns.items():
            try:
                numbers.append(known.number(sample.column(name)))
            except KeyError:
                raise InputError(
                    f'"{name}" is no column to slice by: use language, source_language, cluster, tags.NAME or '
                    "metadata.NAME"
                ) from None

    def expect_scores(self, scorers: Mapping[str, str]) -> None:
        """All samples are there; scores of these scorers follow."""
        shape = (len(self), self._attempts)
        self._rows = RowIndex(self._digests)
        del self._digests
        self._scorers = {name: _GrowingColumn(shape) for name in scorers}
        self._failures = _Failures(("system", "generate", "not_answered"))
        self._failure_NK = np.ones(shape, dtype=np.int16)
        self._prompt_tokens_NK = np.zeros(shape, dtype=np.uint32)
        self._output_tokens_NK = np.zeros(shape, dtype=np.uint32)
        self._from_cache_NK = np.zeros(shape, dtype=np.bool_)

    def add_response(self, response: Mapping[str, Any]) -> bool:
        """Count a response, as its line holds it; False = its sample is none of the task's.

        May raise LookupError, TypeError, ValueError or AttributeError for a line that is no response.
        """
        key = response["key"]
        row = self._rows.row(key["sample_id"])
        if row is None:
            return False
        place, usage = (row, key.get("attempt", 0)), response.get("usage", _NOTHING)
        self._failure_NK[place] = self._failures.of(response.get("failure"))
        self._prompt_tokens_NK[place] = min(usage.get("prompt_tokens") or 0, _MOST_TOKENS)
        self._output_tokens_NK[place] = min(usage.get("output_tokens") or 0, _MOST_TOKENS)
        self._from_cache_NK[place] = response.get("from_cache", False)
        return True

    def add_score(self, score: Mapping[str, Any]) -> bool:
        """Take in a score, as its line holds it; False = its sample is none of the task's.

        May raise LookupError, TypeError, ValueError or AttributeError for a line that is no score.
        """
        key = score["key"]
        row = self._rows.row(key["sample_id"])
        if row is None:
            return False
        value, label, failure = score.get("value"), score.get("label"), score.get("failure")
        if (value is not None) + (label is not None) + (failure is not None) != 1 or type(value) not in _VALUES:
            raise ValueError("neither a value, a label nor a failure")
        place, column = (row, key.get("attempt", 0)), self._scorers[score["scorer"]]
        column.values_NK[place] = np.nan if value is None else value
        column.label_NK[place] = column.labels.number(label)
        column.failure_NK[place] = column.failures.of(failure)
        column.unit = score.get("unit") or column.unit
        return True

    def counts(self) -> Counter[str]:
        """Answers and scores, by whose failure and of which kind; see table.py."""
        counted: Counter[str] = Counter()
        answers = self._failures.counted(self._failure_NK)
        counted["responses"] = self._failure_NK.size - sum(n for kind, n in answers.items() if kind[0] == "system")
        for (blame, _, kind), n in answers.items():
            counted[f"failed_{blame}"] += n
            counted[f"{blame}:{kind}"] += n
        for column in self._scorers.values():
            found = column.failures.counted(column.failure_NK)
            counted["not_scored"] += found["system", "score", "not_scored"]
            counted["scores"] += column.failure_NK.size - found["system", "score", "not_scored"]
            for (blame, stage, kind), n in found.items():
                if blame == "judge":
                    counted["failed_judge"] += n
                    counted[f"judge:{kind}"] += n
                elif blame == "system" and stage == "judge":
                    counted["unjudged"] += n
                    counted[f"unjudged:{kind}"] += n
        used = {
            "prompt_tokens": self._prompt_tokens_NK,
            "output_tokens": self._output_tokens_NK,
            "from_cache": self._from_cache_NK,
        }
        return counted + Counter({name: int(found.sum(dtype=np.int64)) for name, found in used.items()})

    def finished(self) -> TaskTable:
        """The table."""
        return TaskTable(
            task=self._task,
            sample_ids=self._ids,
            cluster_N=codes_of_numbers(np.frombuffer(self._clusters, dtype=np.uint64))[0],
            columns={
                name: _looked_up(known.values, np.frombuffer(numbers, dtype=np.int32))
                for name, (known, numbers) in self._columns.items()
            },
            scorers={name: column.finished() for name, column in self._scorers.items()},
        )


class RowIndex:
    """The row of each sample by its id, in twelve bytes each.

    An id that no sample has is taken for one that has the same 64 bits; of a million, one in ten billion does.
    """

    def __init__(self, digests: "array[int]"):
        """digests: of the ids, in the order of the rows. Raises InputError when two are equal."""
        digests_N = np.frombuffer(digests, dtype=np.uint64)
        order_N = np.argsort(digests_N, kind="stable")
        self._sorted_N = digests_N[order_N]
        self._order_N = order_N.astype(np.uint32)
        if len(digests) > 1 and bool((self._sorted_N[1:] == self._sorted_N[:-1]).any()):
            raise InputError("two samples of a task have the same id, or ids whose digests are equal: change one")
        self._sorted, self._rows = memoryview(self._sorted_N.data), memoryview(self._order_N.data)

    def row(self, sample_id: str) -> int | None:
        """The row; None = there is no such sample."""
        digest = digest_64(sample_id)
        at = bisect_left(self._sorted, digest)
        return self._rows[at] if at < len(self._sorted) and self._sorted[at] == digest else None


def _looked_up(values: list[object], numbers: NDArray[np.integer[Any]]) -> TextArray:
    """The values by their numbers; of no size in memory where all are one value."""
    found: TextArray = np.empty(len(values), dtype=object)
    found[:] = values
    if numbers.size and numbers.min() == numbers.max():
        same: TextArray = found[numbers.flat[0] : numbers.flat[0] + 1].reshape((1,) * numbers.ndim)
        return np.broadcast_to(same, numbers.shape)
    looked_up: TextArray = found[numbers]
    return looked_up
