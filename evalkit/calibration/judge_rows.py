"""Which rows of a verdicts file are the judge's that is being calibrated.

A file often holds several judges, prompts and presentation orders. One combination is calibrated at a time: where the
settings leave more than one, the error lists them and says which flag decides. Orders are never averaged silently.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.calibration.rows import Items, Row, Source, passes
from evalkit.calibration.spec import CalibrationSpec, VerdictSide
from evalkit.core.errors import InputError, Place, unknown_name

# These columns say whose row it is. A `where` on them picks the judge; on any other column it picks responses.
IDENTITY = ("judge", "prompting", "order", "criterion")


@dataclass(frozen=True)
class JudgeRows:
    """One judge's rows, still in file order."""

    judge: str
    prompting: str | None
    orders: tuple[str, ...]
    """("",) for verdicts without an order; else what is compared: ("ab",), ("ba",) or ("ab", "ba")."""
    rows: tuple[Row, ...]
    """Rows that pass every filter."""
    filtered: tuple[Row, ...]
    """The judge's rows that `where` leaves out: their responses are not compared."""

    @property
    def name(self) -> str:
        """`judge` or `judge/prompting`."""
        return self.judge if self.prompting is None else f"{self.judge}/{self.prompting}"


def select_judge(source: Source, spec: CalibrationSpec, items: Items | None) -> JudgeRows:
    """The rows of the one judge that the settings name. Raises InputError when they fit several, or none."""
    side = spec.judgements or VerdictSide()
    identity = {name: wanted for name, wanted in side.where.items() if name in IDENTITY}
    rows = [row for row in source.rows if passes(row, identity, None)]
    if not rows:
        raise InputError(
            f"no row passes `where: {identity}`." if identity else "the file holds no verdicts.", Place(source.file)
        )
    rows = _of_judge(rows, side, source)
    orders = _orders(rows, spec, source)
    rows = [row for row in rows if (row.text("order") or "") in orders]
    columns = {name: wanted for name, wanted in side.where.items() if name not in IDENTITY}
    kept = [passes(row, columns, items) for row in rows]
    return JudgeRows(
        judge=str(rows[0].fields.get("judge")),
        prompting=rows[0].text("prompting"),
        orders=orders,
        rows=tuple(row for row, keep in zip(rows, kept, strict=True) if keep),
        filtered=tuple(row for row, keep in zip(rows, kept, strict=True) if not keep),
    )


def _combination(row: Row) -> tuple[str, str | None]:
    return str(row.fields.get("judge")), row.text("prompting")


def _say(combination: tuple[str, str | None]) -> str:
    judge, prompting = combination
    return judge if prompting is None else f"{judge}/{prompting}"


def _of_judge(rows: list[Row], side: VerdictSide, source: Source) -> list[Row]:
    """Rows of the one (judge, prompting) that is meant."""
    combinations = Counter(_combination(row) for row in rows)
    meant = [found for found in combinations if _is_meant(found, side)]
    if not meant:
        asked = side.judge if side.prompting is None else f"{side.judge or '*'}/{side.prompting}"
        known = sorted(map(_say, combinations))
        raise unknown_name("judge", str(asked), known, Place(source.file), _listed(known))
    if len(meant) > 1:
        asked = f'judge "{side.judge}" fits' if side.judge else "the file holds"
        n_combinations = len({(_combination(row), row.text("order")) for row in rows if _combination(row) in meant})
        counted = (
            f"{len(meant)} judges"
            if n_combinations == len(meant)
            else f"{n_combinations} combinations of judge and order"
        )
        raise InputError(
            f"{asked} {counted}: {', '.join(sorted(_with_orders(meant, rows)))}. "
            f'Choose one, e.g. --judge "{min(map(_say, meant))}"{_order_flag(rows)}.',
            Place(source.file),
        )
    return [row for row in rows if _combination(row) == meant[0]]


def _is_meant(combination: tuple[str, str | None], side: VerdictSide) -> bool:
    judge, prompting = combination
    right_judge = side.judge is None or side.judge in (judge, _say(combination))
    return right_judge and side.prompting in (None, prompting)


def _with_orders(combinations: Iterable[tuple[str, str | None]], rows: list[Row]) -> list[str]:
    orders: dict[tuple[str, str | None], set[str]] = {}
    for row in rows:
        orders.setdefault(_combination(row), set()).add(row.text("order") or "")
    return [_say(found) + _order_note(orders[found] - {""}) for found in combinations]


def _order_note(orders: set[str]) -> str:
    return f" (orders {', '.join(sorted(orders))})" if orders else ""


def _order_flag(rows: list[Row]) -> str:
    return " --order ab|ba|each" if len({row.text("order") for row in rows}) > 1 else ""


def _listed(names: list[str]) -> str:
    """All names where the error itself would list none."""
    return "" if len(names) <= 12 else f"The file holds: {', '.join(names)}."


def _orders(rows: list[Row], spec: CalibrationSpec, source: Source) -> tuple[str, ...]:
    """The presentation orders to compare. Raises InputError when both are there and none was chosen."""
    found = sorted({row.text("order") or "" for row in rows})
    if spec.order == "each":
        if found != ["ab", "ba"]:
            raise InputError(f"--order each needs verdicts in both orders; {_found(found)}", Place(source.file))
        return ("ab", "ba")
    if spec.order is not None:
        if spec.order not in found:
            raise InputError(f"--order {spec.order}: {_found(found)}", Place(source.file))
        return (spec.order,)
    if len(found) > 1:
        judge = _say(_combination(rows[0]))
        raise InputError(
            f'judge "{judge}" answered in {len(found)} orders ({", ".join(name or "none" for name in found)}), '
            "which are never averaged silently. Choose --order ab, --order ba, or --order each (each is a slice; the "
            "pooled figures take both orders of an item as one cluster, and swap consistency is added).",
            Place(source.file),
        )
    return tuple(found)


def _found(orders: list[str]) -> str:
    named = [order for order in orders if order]
    return f"the verdicts are in order {', '.join(named)} alone." if named else "the verdicts carry no order."
