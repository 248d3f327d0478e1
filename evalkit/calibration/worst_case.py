"""The table in which every missing verdict disagrees: what fitness must survive before a judge may gate.

A judge that leaves out the hard cases would otherwise look better than one that answers them.
"""

from dataclasses import replace

import numpy as np

from evalkit.calibration.table import Table
from evalkit.calibration.values import Values, is_there

NO_VERDICT = "(no verdict)"


def every_missing_verdict_disagrees(table: Table, reference_N: Values) -> Table:
    """Missing verdicts filled with what disagrees with the reference; where there is no reference they stay missing.

    Two labels: the other one. Ordinal: the end of the scale that is farther away. Interval: the farther end of what
    anybody said. Nominal: a label of its own, which agrees with nothing.
    """
    if table.scale.kind == "interval":
        ends = np.concatenate([table.verdicts_ON.reshape(-1), reference_N])
        low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
        opposite_N = np.where(reference_N - low > high - reference_N, low, high)
        return _filled(table, reference_N, opposite_N)
    size = len(table.scale.labels)
    if table.scale.kind == "ordinal" or size == 2:
        opposite_N = np.where(reference_N > (size - 1) / 2, 0, size - 1).astype(np.int16)
        return _filled(table, reference_N, opposite_N)
    if NO_VERDICT in table.scale.labels:
        return _filled(table, reference_N, np.full(table.n, table.scale.labels.index(NO_VERDICT), dtype=np.int16))
    wider = table.scale.model_copy(update={"labels": (*table.scale.labels, NO_VERDICT)})
    return _filled(replace(table, scale=wider), reference_N, np.full(table.n, size, dtype=np.int16))


def _filled(table: Table, reference_N: Values, opposite_N: Values) -> Table:
    fill_ON = is_there(reference_N) & ~is_there(table.verdicts_ON)
    return replace(table, verdicts_ON=np.where(fill_ON, opposite_N, table.verdicts_ON).astype(table.verdicts_ON.dtype))
