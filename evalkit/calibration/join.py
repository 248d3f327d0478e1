"""Labels, verdicts and items brought together: one table per criterion, and notes on what was left out.

Rows join by item, system, second system and attempt. Nothing is averaged, guessed or dropped silently.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration.judge_rows import JudgeRows, select_judge
from evalkit.calibration.labelled import CriterionLabels, Value, labels_by_criterion
from evalkit.calibration.references import references
from evalkit.calibration.rows import Inputs, Items, Key, Row, check_columns, say_key, value_of
from evalkit.calibration.spec import CalibrationSpec, plain_text
from evalkit.calibration.table import Table
from evalkit.calibration.values import check_one_kind, empty, on_scale, settle_scale
from evalkit.calibration.verdicts import CriterionVerdicts, verdicts_by_criterion
from evalkit.core.errors import InputError, Place, unknown_name
from evalkit.core.label import is_aggregate
from evalkit.core.scale import Scale


@dataclass(frozen=True)
class Joined:
    """What was joined."""

    tables: tuple[Table, ...]
    """One per criterion, sorted by its name."""
    judge: JudgeRows | None
    annotators: tuple[str, ...]
    aggregates: tuple[str, ...]
    n_labels: int
    systems: tuple[str, ...]
    notes: tuple[str, ...]


def join(inputs: Inputs, spec: CalibrationSpec) -> Joined:
    """Tables of labels beside verdicts. Raises InputError for rows that contradict each other or join nothing."""
    notes: list[str] = []
    labels = labels_by_criterion(inputs, spec, notes)
    judge, verdicts = None, dict[str, CriterionVerdicts]()
    if inputs.verdicts is not None:
        judge = select_judge(inputs.verdicts, spec, inputs.items)
        verdicts = verdicts_by_criterion(inputs, judge, labels, spec)
        _check_joins(labels, verdicts, inputs)
    _check_slice_columns(inputs, labels, spec)
    build = partial(_table, inputs=inputs, spec=spec, orders=judge.orders if judge else (), notes=notes)
    made = [build(criterion, labels[criterion], verdicts.get(criterion)) for criterion in sorted(labels)]
    tables = tuple(table for table in made if table.n)
    _check_reference(spec, tables)
    names = {name for one in labels.values() for given in one.by_key.values() for name in given}
    return Joined(
        tables=tables,
        judge=judge,
        annotators=tuple(sorted(name for name in names if not is_aggregate(name))),
        aggregates=tuple(sorted(filter(is_aggregate, names))),
        n_labels=sum(len(given) for one in labels.values() for given in one.by_key.values()),
        systems=tuple(sorted({name for table in tables for key in table.keys for name in key[1:3] if name})),
        notes=tuple(dict.fromkeys(notes)),
    )


def _check_joins(
    labels: Mapping[str, CriterionLabels], verdicts: Mapping[str, CriterionVerdicts], inputs: Inputs
) -> None:
    """Raise InputError when not one label has a verdict, with an example of both keys."""
    for criterion, one in verdicts.items():
        judged = {key for key, _ in one.by_key}
        if judged & labels[criterion].by_key.keys():
            return
    keys = [key for one in labels.values() for key in one.by_key]
    judged_keys = [key for one in verdicts.values() for key, _ in one.by_key]
    file = inputs.verdicts.file if inputs.verdicts else ""
    example = f"a verdict has {say_key(judged_keys[0])}" if judged_keys else "no verdict passes the filters (`where:`)"
    raise InputError(
        f"no label joins a verdict: a label has {say_key(keys[0])}; {example}. "
        "Rows join by item_id, system, system_b and attempt; write them the same on both sides.",
        Place(file),
    )


def _check_slice_columns(inputs: Inputs, labels: Mapping[str, CriterionLabels], spec: CalibrationSpec) -> None:
    """Raise InputError for a column that nothing has, and for items that are about nothing that was labelled."""
    names = [name for name in spec.columns if name != "system"]
    if spec.cluster not in ("item", "none"):
        names.append(spec.cluster)
    if names and inputs.items and inputs.items_file:
        labelled = {key[0] for one in labels.values() for key in one.by_key}
        if not labelled & inputs.items.keys():
            raise InputError(
                f'no label joins an item: a label has item_id "{min(labelled)}", an item has "{min(inputs.items)}".',
                Place(inputs.items_file),
            )
    check_columns(names, inputs.labels, inputs.items)


def _check_reference(spec: CalibrationSpec, tables: tuple[Table, ...]) -> None:
    """Raise InputError for a reference that no criterion has."""
    known = {name for table in tables for name in (*references(table), *table.raters)}
    if spec.reference is not None and spec.reference not in known:
        raise unknown_name("reference", spec.reference, known)


def _table(
    criterion: str,
    labels: CriterionLabels,
    verdicts: CriterionVerdicts | None,
    *,
    inputs: Inputs,
    spec: CalibrationSpec,
    orders: tuple[str, ...],
    notes: list[str],
) -> Table:
    """Arrays of one criterion; rows sorted by key, so that the file's order changes no estimate."""
    filtered = verdicts.filtered if verdicts else frozenset()
    judged = {key for key, _ in verdicts.by_key} if verdicts else set()
    keys = tuple(sorted(key for key in labels.by_key if key not in filtered or key in judged))
    _note_rows(criterion, labels, keys, judged, verdicts is not None, orders, notes)
    scale = _scale(criterion, labels, verdicts, keys, inputs, spec)
    if scale.kind == "binary" and scale.labels and not (spec.scale and spec.scale.labels):
        low, high = scale.labels
        notes.append(f'"{high}" is taken as the positive label, "{low}" as the negative (--scale binary:{low}<{high}).')
    names = sorted({name for key in keys for name in labels.by_key[key]})
    values = {name: empty(scale, len(keys)) for name in names}
    for number, key in enumerate(keys):
        for name, (value, row) in labels.by_key[key].items():
            values[name][number] = on_scale(value, scale, row, inputs.labels)
    used_orders = orders if verdicts else ()
    verdicts_ON = empty(scale, len(used_orders), len(keys))
    if verdicts and inputs.verdicts:
        for number, key in enumerate(keys):
            for place, order in enumerate(used_orders):
                if (key, order) in verdicts.by_key:
                    verdicts_ON[place, number] = on_scale(*_at(verdicts, key, order, scale), inputs.verdicts)
    raters = tuple(name for name in names if not is_aggregate(name))
    return Table(
        criterion=criterion,
        scale=scale,
        keys=keys,
        columns={name: _column(name, keys, labels, inputs.items) for name in spec.columns},
        cluster_N=_clusters(spec.cluster, keys, labels, inputs.items),
        raters=raters,
        ratings_AN=np.stack([values[name] for name in raters]) if raters else empty(scale, 0, len(keys)),
        aggregates={name: values[name] for name in names if is_aggregate(name)},
        orders=used_orders,
        verdicts_ON=verdicts_ON,
    )


def _at(verdicts: CriterionVerdicts, key: Key, order: str, scale: Scale) -> tuple[Value, Scale, Row]:
    value, row = verdicts.by_key[key, order]
    return value, scale, row


def _note_rows(
    criterion: str,
    labels: CriterionLabels,
    keys: tuple[Key, ...],
    judged: set[Key],
    has_judge: bool,
    orders: tuple[str, ...],
    notes: list[str],
) -> None:
    """Say how many labelled responses are not compared, and why."""
    n_filtered = len(labels.by_key) - len(keys)
    if n_filtered:
        notes.append(f"{criterion}: {n_filtered} labelled responses are left out by `judgements.where`.")
    if has_judge:
        n_absent = sum(key not in judged for key in keys)
        if n_absent:
            notes.append(f"{criterion}: {n_absent} labelled responses have no verdict row; their verdicts are missing.")
    elif orders:
        notes.append(f"{criterion}: the judge gave no verdicts; human-human agreement alone.")


def _scale(
    criterion: str,
    labels: CriterionLabels,
    verdicts: CriterionVerdicts | None,
    keys: tuple[Key, ...],
    inputs: Inputs,
    spec: CalibrationSpec,
) -> Scale:
    """The scale with its labels, from the settings or from what was said."""
    said = [(value, row, inputs.labels) for key in keys for value, row in labels.by_key[key].values()]
    if verdicts and inputs.verdicts:
        wanted = set(keys)
        said += [(value, row, inputs.verdicts) for (key, _), (value, row) in verdicts.by_key.items() if key in wanted]
    declared = spec.scale
    numbers = declared is None and check_one_kind(said)
    # Only as many texts as needed to settle labels; numbers on an undeclared scale are an interval.
    needs_labels = (
        not numbers and (declared is None or not declared.labels) and (declared is None or declared.kind != "interval")
    )
    seen = {str(plain_text(value)) for value, _, _ in said if value is not None} if needs_labels else set()
    try:
        return settle_scale(declared, numbers, seen)
    except ValueError as error:
        raise InputError(f"criterion {criterion}: {error}.", Place(inputs.labels.file)) from error


def _column(name: str, keys: tuple[Key, ...], labels: CriterionLabels, items: Items | None) -> NDArray[np.object_]:
    """A slice column's value for each key: the item's, the key's system, or the label row's own."""
    found = np.empty(len(keys), dtype=object)
    for number, key in enumerate(keys):
        if name == "system":
            found[number] = key[1]
        else:
            _, row = next(iter(labels.by_key[key].values()))
            found[number] = value_of(name, row.fields, items.get(key[0]) if items else None)
    return found


def _clusters(cluster: str, keys: tuple[Key, ...], labels: CriterionLabels, items: Items | None) -> NDArray[np.int64]:
    """Shape (N,): a number per group of responses that stand or fall together."""
    if cluster == "none":
        return np.arange(len(keys), dtype=np.int64)
    names = [key[0] for key in keys]
    if cluster != "item":
        column = _column(cluster, keys, labels, items)
        names = [f"={value}" if value is not None else f"~{key}" for value, key in zip(column, keys, strict=True)]
    _, codes = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    return np.asarray(codes, dtype=np.int64)
