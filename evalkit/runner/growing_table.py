"""One task's table while a run's files are read: first every sample, then scores and responses in any order.

A line that speaks of the same sample and attempt as an earlier one takes its place.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evalkit.comparison.sample_ids import SampleIds
from evalkit.comparison.table import ScorerColumn, TaskTable, TextArray
from evalkit.core.errors import InputError
from evalkit.core.failure import Failure
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.core.suite import Task
from evalkit.store.index import DigestIndex

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

    def of(self, failure: Failure | None) -> int:
        return 0 if failure is None else self.number((failure.blame, failure.stage, failure.kind))

    def counted(self, numbers: NDArray[np.int32]) -> Counter[tuple[str, str, str]]:
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
        self.failure_NK = np.ones(shape, dtype=np.int32)
        self.labels = _Numbered(None)
        self.failures = _Failures(("system", "score", "not_scored"))

    def finished(self) -> ScorerColumn:
        blames = [kind[0] if isinstance(kind, tuple) else None for kind in self.failures.values]
        labels_NK = _looked_up(self.labels.values, self.label_NK)
        return ScorerColumn(self.unit, self.values_NK, labels_NK, _looked_up(blames, self.failure_NK))


class GrowingTable:
    """One task's table while it is read. N samples, K attempts."""

    def __init__(self, task: Task, attempts: int, columns: tuple[str, ...]):
        """columns: those to slice by."""
        self._task = task
        self._attempts = attempts
        self._ids = SampleIds()
        self._digests = bytearray()
        self._clusters = array("Q")
        self._columns = {name: (_Numbered(None), array("i")) for name in columns}

    def __len__(self) -> int:
        return len(self._ids)

    def add_sample(self, sample: Sample) -> None:
        """One more row. Raises InputError for a column that is none."""
        self._digests += _id_digest(sample.id)
        self._clusters.append(_OWN_CLUSTER + len(self._ids) if sample.cluster is None else _digest_64(sample.cluster))
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
        shape = (len(self._ids), self._attempts)
        digests = bytes(self._digests)
        self._digests = bytearray()
        self._rows = DigestIndex((digests[16 * row : 16 * row + 16], row) for row in range(len(self._ids)))
        self._scorers = {name: _GrowingColumn(shape) for name in scorers}
        self._failures = _Failures(("system", "generate", "not_answered"))
        self._failure_NK = np.ones(shape, dtype=np.int32)
        self._prompt_tokens_NK = np.zeros(shape, dtype=np.int64)
        self._output_tokens_NK = np.zeros(shape, dtype=np.int64)
        self._from_cache_NK = np.zeros(shape, dtype=np.bool_)

    def add_response(self, response: Response) -> bool:
        """Count a response; False = its sample is none of the task's."""
        row = self._rows.offset(_id_digest(response.key.sample_id))
        if row is None:
            return False
        place = row, response.key.attempt
        self._failure_NK[place] = self._failures.of(response.failure)
        self._prompt_tokens_NK[place] = response.usage.prompt_tokens or 0
        self._output_tokens_NK[place] = response.usage.output_tokens or 0
        self._from_cache_NK[place] = response.from_cache
        return True

    def add_score(self, score: Score) -> bool:
        """Take in a score; False = its sample is none of the task's."""
        row = self._rows.offset(_id_digest(score.key.sample_id))
        if row is None:
            return False
        place, column = (row, score.key.attempt), self._scorers[score.scorer]
        column.values_NK[place] = np.nan if score.value is None else score.value
        column.label_NK[place] = column.labels.number(score.label)
        column.failure_NK[place] = column.failures.of(score.failure)
        column.unit = score.unit or column.unit
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
        return counted + Counter({name: int(found.sum()) for name, found in used.items()})

    def finished(self) -> TaskTable:
        """The table."""
        return TaskTable(
            task=self._task,
            sample_ids=self._ids,
            cluster_N=_in_order_of_first(np.frombuffer(self._clusters, dtype=np.uint64)),
            columns={
                name: _looked_up(known.values, np.frombuffer(numbers, dtype=np.int32))
                for name, (known, numbers) in self._columns.items()
            },
            scorers={name: column.finished() for name, column in self._scorers.items()},
        )


def _id_digest(sample_id: str) -> bytes:
    return hashlib.blake2b(sample_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _digest_64(cluster: str) -> int:
    """63 bits: two of a million clusters are equal by chance once in ten million runs."""
    digest = hashlib.blake2b(cluster.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def _in_order_of_first(values_N: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Numbers from 0 in the order in which values occur: what is drawn by them depends on no digest."""
    if len(values_N) and values_N[0] >= _OWN_CLUSTER and (np.diff(values_N) == 1).all():
        return np.arange(len(values_N))
    _, first, inverse_N = np.unique(values_N, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[inverse_N]


def _looked_up(values: list[object], numbers: NDArray[np.int32]) -> TextArray:
    found: TextArray = np.empty(len(values), dtype=object)
    found[:] = values
    return found[numbers]
