"""The names of columns: what results are sliced by, and what a data file's columns fill.

    slices: [language, [language, tags.hazard]]
    columns: {id: item_id, tags.hazard: meta.hazard}

A suite and a report check them when they are loaded, so that a slip has a line and a column.
"""

from collections.abc import Collection, Iterable

from evalkit.core.errors import Place, nearest_name, unknown_name
from evalkit.core.sample import Sample

SLICE_COLUMNS = ("language", "source_language", "cluster")
FAMILIES = ("tags", "metadata")
"""`tags.NAME` and `metadata.NAME` are columns too."""


def check_slice_column(name: str, place: Place, also: Iterable[str] = ()) -> None:
    """Raise InputError unless `name` is a column that samples can be sliced by."""
    _check(name, place, (*SLICE_COLUMNS, *also), "column")


def check_sample_field(name: str, place: Place) -> None:
    """Raise InputError unless `name` is a field of a sample that a data file's column can fill."""
    _check(name, place, tuple(Sample.model_fields), "sample field")


def _check(name: str, place: Place, known: Collection[str], kind: str) -> None:
    family, _, rest = name.partition(".")
    if name not in known and not (family in FAMILIES and rest and all(rest.split("."))):
        # `tag.hazard` was meant to be `tags.hazard`.
        meant = [f"{near}.{rest}"] if rest and (near := nearest_name(family, FAMILIES)) else []
        raise unknown_name(kind, name, [*known, *meant, *(f"{family}.NAME" for family in FAMILIES)], place)
