"""One criterion's labels and verdicts, side by side: what every estimate of a card is computed from.

A table has one row per response that people labelled (and whose verdict was not filtered out). With both presentation
orders of a pairwise judge there are two rows of verdicts over the same responses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration.rows import Key
from evalkit.calibration.values import Values, is_there
from evalkit.core.errors import InputError
from evalkit.core.estimate import Slice
from evalkit.core.label import is_slot
from evalkit.core.scale import Scale

MAX_VALUES = 200
"""Values of one slice column; more are no groups that anybody decides about."""


@dataclass(frozen=True)
class Table:
    """N responses, A raters, O presentation orders."""

    criterion: str
    scale: Scale
    """With its labels, unless it is an interval."""
    keys: tuple[Key, ...]
    columns: Mapping[str, NDArray[np.object_]]
    """Slice column -> shape (N,), text or None."""
    cluster_N: NDArray[np.int64]
    """Shape (N,): samples with the same number stand or fall together."""
    raters: tuple[str, ...]
    """People and slots, never aggregates."""
    ratings_AN: Values
    aggregates: Mapping[str, Values]
    """Aggregate annotator -> shape (N,)."""
    orders: tuple[str, ...]
    """("",), ("ab",), ("ba",) or ("ab", "ba"); () without verdicts."""
    verdicts_ON: Values

    def __post_init__(self) -> None:
        for array in (
            self.cluster_N,
            self.ratings_AN,
            self.verdicts_ON,
            *self.aggregates.values(),
            *self.columns.values(),
        ):
            array.setflags(write=False)

    @property
    def n(self) -> int:
        """Labelled responses."""
        return len(self.keys)

    @property
    def persons(self) -> tuple[str, ...]:
        """Raters that are people; a slot is a position that different people may have filled."""
        return tuple(rater for rater in self.raters if not is_slot(rater))

    @property
    def has_verdicts(self) -> bool:
        """Whether there is a judge to compare with."""
        return bool(self.orders)

    def ratings(self, rater: str) -> Values:
        """One rater's labels, shape (N,)."""
        return np.asarray(self.ratings_AN[self.raters.index(rater)])

    def take(self, chosen_N: NDArray[np.bool_], orders: tuple[str, ...] | None = None) -> "Table":
        """The table's rows in one slice, and the raters who labelled any of them."""
        kept_orders = self.orders if orders is None else orders
        rows_of_orders = [self.orders.index(order) for order in kept_orders]
        ratings_AN = self.ratings_AN[:, chosen_N]
        active_A = np.asarray(is_there(ratings_AN).any(axis=1))
        return replace(
            self,
            keys=tuple(key for key, keep in zip(self.keys, chosen_N, strict=True) if keep),
            columns={name: values[chosen_N] for name, values in self.columns.items()},
            cluster_N=self.cluster_N[chosen_N],
            raters=tuple(rater for rater, active in zip(self.raters, active_A, strict=True) if active),
            ratings_AN=ratings_AN[active_A],
            aggregates={
                name: values[chosen_N] for name, values in self.aggregates.items() if is_there(values[chosen_N]).any()
            },
            orders=kept_orders,
            verdicts_ON=self.verdicts_ON[rows_of_orders][:, chosen_N],
        )


def slices(table: Table, by: tuple[str, ...]) -> Iterator[tuple[Slice, Table]]:
    """Everything, each value of each column, each combination of columns; with two orders, each order too.

    A response without a value in a column is in no slice of that column.
    """
    _refuse_too_many(table, by)
    orders = [(order,) for order in table.orders] if len(table.orders) > 1 else []
    for size in range(len(by) + 1):
        for names in combinations(by, size):
            for values, chosen_N in _groups(table, names):
                found = dict(zip(names, values, strict=True))
                yield found, table.take(chosen_N)
                for order in orders:
                    yield {**found, "order": order[0]}, table.take(chosen_N, order)


def _refuse_too_many(table: Table, by: tuple[str, ...]) -> None:
    """Raise InputError for a column that is no group of samples but nearly a name of each."""
    for name in by:
        n_values = len({value for value in table.columns[name] if value is not None})
        if n_values > MAX_VALUES:
            raise InputError(
                f"column {name} has {n_values} different values; a card has room for {MAX_VALUES}. "
                "Slice by a column of fewer groups, or choose some with `where:` in --spec."
            )


def _groups(table: Table, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], NDArray[np.bool_]]]:
    """Each combination of values that occurs, in sorted order, with its rows."""
    if not names:
        yield (), np.ones(table.n, dtype=bool)
        return
    rows_of: dict[tuple[str, ...], list[int]] = {}
    for number, values in enumerate(zip(*(table.columns[name] for name in names), strict=True)):
        if None not in values:
            rows_of.setdefault(values, []).append(number)
    for values in sorted(rows_of):
        chosen_N = np.zeros(table.n, dtype=bool)
        chosen_N[rows_of[values]] = True
        yield values, chosen_N
