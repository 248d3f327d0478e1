"""Index recorded labels or verdicts of one system by sample: what was said, and the line that says it.

Only the wanted rows are kept (one system; one annotator, or one judge): a file of a million rows costs the memory of
the few that join.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.core.errors import InputError, Place, nearest_name, unknown_name
from evalkit.core.response import Response
from evalkit.scorers.rows import optional_text_field, read_rows, text_field

RAW_LENGTH = 2000
"""Characters kept of a judge's recorded words: they are shown to people, not computed with."""

Said = str | float | bool | None


@dataclass(frozen=True)
class Wanted:
    """Which rows of a file are wanted."""

    source: dict[str, str | None]
    """Field -> value: `{"annotator": "adjudicated"}` or `{"judge": "gpt-4", "prompting": None, "order": None}`.
    None = only rows without the field."""
    criteria: tuple[str, ...]
    system: str
    task: str | None = None
    """Rows that name another task are passed over."""

    @property
    def kind(self) -> str:
        """`annotator` or `judge`."""
        return next(iter(self.source))


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """What was said of one answer."""

    line: int
    value: Said
    """As it stands in the file; None = null."""
    raw: str = ""
    """The judge's own words."""


AnswerKey = tuple[str, int | None, str | None]
"""Item id, attempt, response digest; None = the file does not say."""


@dataclass
class RecordedTable:
    """The wanted rows of a file, and what else was seen in it."""

    path: Path
    rows: dict[str, dict[AnswerKey, RecordedRow]]
    """Criterion -> answer -> what was said."""
    systems: tuple[str, ...] = ()
    """Every system of the wanted source and criteria, sorted."""
    values: set[str] = field(default_factory=set)
    """Every value of the wanted source and criteria, as text, whatever the system."""

    def of(self, criterion: str, response: Response) -> RecordedRow | None:
        """What was said of a response. A row that names no attempt speaks of the first."""
        rows = self.rows[criterion]
        item, attempt, digest = response.key.sample_id, response.key.attempt, response.digest
        for key in ((item, attempt, digest), (item, None, digest), (item, attempt, None)):
            if key in rows:
                return rows[key]
        return rows.get((item, None, None)) if attempt == 0 else None

    @property
    def rows_for_system(self) -> int:
        """Rows of the wanted system; 0 = the file joins no response."""
        return sum(len(rows) for rows in self.rows.values())


def read_table(path: Path, wanted: Wanted, place: Place | None = None) -> RecordedTable:
    """Read the wanted rows. `place`: where they are asked for, for errors about names.

    Raises InputError for a row that is wrong or contradicts another, and for a source or a criterion that is not there.
    """
    table = RecordedTable(path, {criterion: {} for criterion in wanted.criteria})
    sources: dict[tuple[str | None, ...], None] = {}
    criteria: dict[str, None] = {}
    systems: set[str] = set()
    for line, row in read_rows(path):
        source = _source(row, wanted, path, line)
        sources[source] = None
        if source != tuple(wanted.source.values()):
            continue
        criterion = text_field(row, "criterion", path, line)
        criteria[criterion] = None
        if criterion not in wanted.criteria or (wanted.task is not None and row.get("task") not in (None, wanted.task)):
            continue
        said = _said(row, path, line)
        if said.value is not None:
            table.values.add(as_label(said.value))
        system = optional_text_field(row, "system", path, line) or ""
        systems.add(system)
        if system == wanted.system:
            _add(table.rows[criterion], _answer_key(row, path, line), said, path)
    _check_names(wanted, path, sources, criteria, place)
    table.systems = tuple(sorted(systems))
    return table


def as_label(value: str | float | bool) -> str:
    """A value as the text of a label.

    >>> as_label("full"), as_label(4.0), as_label(4.5), as_label(True)
    ('full', '4', '4.5', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return value


def _source(row: dict[str, Any], wanted: Wanted, path: Path, line: int) -> tuple[str | None, ...]:
    first, *others = wanted.source
    return (text_field(row, first, path, line), *(optional_text_field(row, name, path, line) for name in others))


def _answer_key(row: dict[str, Any], path: Path, line: int) -> AnswerKey:
    attempt = row.get("attempt")
    if attempt is not None and (not isinstance(attempt, int) or isinstance(attempt, bool)):
        raise InputError(f"field `attempt` must be a whole number; it is {attempt!r}", Place(path, line))
    return text_field(row, "item_id", path, line), attempt, optional_text_field(row, "response_digest", path, line)


def _said(row: dict[str, Any], path: Path, line: int) -> RecordedRow:
    if row.get("system_b") is not None:
        raise InputError(
            "compares two systems (`system_b`), but a run scores one answer at a time. `evalkit calibrate` reads pairs",
            Place(path, line),
        )
    if "value" not in row:
        raise InputError("field `value` is missing; null stands for no label or no verdict", Place(path, line))
    raw = row.get("raw")
    return RecordedRow(line, _value(row["value"], path, line), raw[:RAW_LENGTH] if isinstance(raw, str) else "")


def _value(value: Any, path: Path, line: int) -> Said:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            pass  # an integer beyond any scale: refused below
    raise InputError(f"field `value` must be a text, a number or null; it is {value!r:.80}", Place(path, line))


def _add(rows: dict[AnswerKey, RecordedRow], key: AnswerKey, said: RecordedRow, path: Path) -> None:
    known = rows.setdefault(key, said)
    if known.value != said.value:
        raise InputError(
            f'item "{key[0]}" has {known.value!r} in line {known.line} and {said.value!r} here, from the same source '
            "and for the same system and criterion. Keep one of the two lines",
            Place(path, said.line),
        )


def _check_names(
    wanted: Wanted,
    path: Path,
    sources: dict[tuple[str | None, ...], None],
    criteria: dict[str, None],
    place: Place | None,
) -> None:
    """Refuse a source or criterion that no row has; a system without rows is for the run to say."""
    source = tuple(wanted.source.values())
    if source not in sources:
        near = nearest_name(_shown(source), [_shown(seen) for seen in sources])
        guess = f' Did you mean "{near}"?' if near and near != _shown(source) else ""
        listed = _listed(wanted, sources)
        raise InputError(f"{_described(wanted, source)} has no rows in {path}.{guess} There are: {listed}.", place)
    for criterion in wanted.criteria:
        if criterion not in criteria:
            hint = f'{wanted.kind.capitalize()} "{_shown(source)}" has others in {path}.'
            raise unknown_name("criterion", criterion, criteria, place, hint)


def _shown(source: tuple[str | None, ...]) -> str:
    return "/".join(part for part in source if part is not None)


def _described(wanted: Wanted, source: tuple[str | None, ...]) -> str:
    """`judge "gpt-4", no prompting, order "ab"`."""
    said = [f'{name} "{part}"' if part else f"no {name}" for name, part in zip(wanted.source, source, strict=True)]
    return ", ".join(said)


def _listed(wanted: Wanted, sources: Iterable[tuple[str | None, ...]], most: int = 12) -> str:
    """The sources there are, those of the same name first."""
    same_name_first = sorted(sources, key=lambda source: source[0] != next(iter(wanted.source.values())))
    shown = [_described(wanted, source) for source in same_name_first[:most]]
    more = f"; and {len(same_name_first) - most} more" if len(same_name_first) > most else ""
    return ("; ".join(shown) or "none, the file is empty") + more
