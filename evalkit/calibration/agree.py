"""Every figure of a card: what people reach among themselves, what the judge reaches with them, slice by slice.

One criterion: each slice stands on the card with and without its name (`{}` and `{"criterion": "refusal"}`). Several
criteria are never pooled: each is a slice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from evalkit.calibration.describe import confusions, distributions
from evalkit.calibration.fitness import slice_fitness
from evalkit.calibration.judged import judge_estimates
from evalkit.calibration.people import people_estimates
from evalkit.calibration.settings import Drawing
from evalkit.calibration.spec import CalibrationSpec
from evalkit.calibration.table import Table, slices
from evalkit.core.card import CardEstimate, Confusion, Distribution, SliceFitness
from evalkit.core.estimate import Slice
from evalkit.core.noun import Noun

Line = TypeVar("Line", bound=Noun)


@dataclass(frozen=True)
class Agreement:
    """What the tables say, in slices."""

    estimates: tuple[CardEstimate, ...]
    distributions: tuple[Distribution, ...]
    confusions: tuple[Confusion, ...]
    fitness: tuple[SliceFitness, ...]


def agreement(tables: tuple[Table, ...], spec: CalibrationSpec) -> Agreement:
    """Estimates, distributions, confusions and fitness of every slice of every criterion."""
    parts = [_of_slice(table, names, spec) for names, table in _all_slices(tables, spec.by)]
    for column in spec.show_by:
        parts += [
            _of_slice(table, names, spec, is_judged=False)
            for names, table in _all_slices(tables, (column,))
            if column in names[-1]
        ]
    return Agreement(
        estimates=tuple(estimate for part in parts for estimate in part.estimates),
        distributions=tuple(distribution for part in parts for distribution in part.distributions),
        confusions=tuple(confusion for part in parts for confusion in part.confusions),
        fitness=tuple(fitness for part in parts for fitness in part.fitness),
    )


def _all_slices(tables: tuple[Table, ...], by: tuple[str, ...]) -> Iterator[tuple[tuple[Slice, ...], Table]]:
    """The names a slice goes by, and its rows."""
    for table in tables:
        for where, part in slices(table, by):
            with_criterion = {"criterion": table.criterion, **where}
            yield ((where, with_criterion) if len(tables) == 1 else (with_criterion,)), part


def _of_slice(table: Table, names: tuple[Slice, ...], spec: CalibrationSpec, is_judged: bool = True) -> Agreement:
    where = names[-1]
    drawing = Drawing(spec.draws, spec.level, spec.seed)
    estimates = [*people_estimates(table, where, drawing), *judge_estimates(table, where, drawing)]
    fitness = slice_fitness(table, where, estimates, drawing, spec.reference) if is_judged else None
    if spec.kind == "constructed":  # no person gave these labels, whatever their annotator is called
        estimates = [estimate for estimate in estimates if "humans" not in estimate.against]
    return Agreement(
        estimates=_under(names, estimates),
        distributions=_under(names, distributions(table, where)),
        confusions=_under(names, confusions(table, where)),
        fitness=_under(names, [fitness] if fitness else []),
    )


def _under(names: tuple[Slice, ...], lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines once for each name of the slice."""
    made = list(lines)
    return tuple(line.model_copy(update={"slice": name}) for name in names for line in made)
