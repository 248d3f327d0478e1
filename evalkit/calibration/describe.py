"""What each source said: label counts, means, and the judge's verdicts against a reference label by label."""

from collections.abc import Iterator, Mapping

import numpy as np

from evalkit.calibration.people import MAX_PAIRED_PERSONS
from evalkit.calibration.references import references
from evalkit.calibration.sums import pair_counts
from evalkit.calibration.table import Table
from evalkit.calibration.values import Values, is_there
from evalkit.core.card import Confusion, Distribution
from evalkit.core.estimate import Slice

MAX_CONFUSION_LABELS = 20
"""A larger table is not read by anybody."""


def distributions(table: Table, where: Slice) -> Iterator[Distribution]:
    """One for each rater, all raters together (`humans`), each aggregate and the judge."""
    raters = {name: table.ratings(name) for name in table.raters} if len(table.raters) <= MAX_PAIRED_PERSONS else {}
    everyone = {"humans": table.ratings_AN.reshape(-1)} if len(table.raters) > 1 else {}
    for source, values in {**raters, **everyone, **references(table)}.items():
        yield _distribution(source, values, table, where, 0)
    if table.has_verdicts:
        missing = int((~is_there(table.verdicts_ON)).sum())
        yield _distribution("judge", table.verdicts_ON.reshape(-1), table, where, missing)


def confusions(table: Table, where: Slice) -> Iterator[Confusion]:
    """Reference labels against the judge's, for each aggregate and each person; none on an interval scale."""
    size = len(table.scale.labels)
    if not table.has_verdicts or not 0 < size <= MAX_CONFUSION_LABELS:
        return
    persons = {name: table.ratings(name) for name in table.persons} if len(table.persons) <= MAX_PAIRED_PERSONS else {}
    sources: Mapping[str, Values] = {**references(table), **persons}
    for against, reference_N in sources.items():
        counts = sum(pair_counts(reference_N, verdicts_N, size).sum(axis=0) for verdicts_N in table.verdicts_ON)
        yield Confusion(
            against=against,
            slice=where,
            labels=table.scale.labels,
            counts=tuple(tuple(int(count) for count in row) for row in np.reshape(counts, (size, size))),
            n_missing=int((is_there(reference_N) & ~is_there(table.verdicts_ON)).sum()),
        )


def _distribution(source: str, values: Values, table: Table, where: Slice, n_missing: int) -> Distribution:
    given = values[is_there(values)]
    if table.scale.kind == "interval":
        mean = float(given.mean()) if given.size else None
        return Distribution(source=source, slice=where, mean=mean, n=int(given.size), n_missing=n_missing)
    counted = np.bincount(given, minlength=len(table.scale.labels))
    counts = {label: int(count) for label, count in zip(table.scale.labels, counted, strict=True)}
    return Distribution(source=source, slice=where, counts=counts, n=int(given.size), n_missing=n_missing)
