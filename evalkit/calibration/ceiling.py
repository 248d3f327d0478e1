"""The judge against all raters, beside the raters against each other, on the same responses with the same draws.

Of the judge: the mean over raters of the statistic between the judge and that rater (`judge x humans`). Of people:
Krippendorff's alpha of all raters (`humans`). Their difference, judge minus people, is drawn in pairs: it says whether
the judge could stand in for one more person.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration import sums
from evalkit.calibration.resample import resampled
from evalkit.calibration.settings import Drawing
from evalkit.calibration.table import Table
from evalkit.calibration.values import Values, is_there
from evalkit.core.estimate import Estimate
from evalkit.stats.alpha import alpha_of_coincidences
from evalkit.stats.classification import accuracy_of_tables
from evalkit.stats.moments import alpha_of_moments, pearson_of_moments
from evalkit.stats.tables import ratio

Floats = NDArray[np.float64]

MAX_FEATURES = 60_000_000
"""Above this many addends (samples x comparisons x labels squared) the comparison does not fit in memory."""

MAX_SEPARATE_RATERS = 12
"""With more raters than this, the judge is compared with all their ratings at once instead of with each rater."""

MOST_IMAGINED = 12
"""Labels among which unseen samples are imagined."""


@dataclass(frozen=True)
class _Sample:
    """The rows that the comparison rests on, both orders one after the other."""

    judge_N: Values
    ratings_AN: Values
    cluster_N: NDArray[np.int64]


def alpha_name(table: Table) -> str:
    """The statistic that people and judge are compared by."""
    return f"krippendorff_alpha_{sums.metric_of(table.scale)}"


def difference_name(table: Table) -> str:
    """Its name as a difference, judge minus people."""
    return f"{alpha_name(table)}_minus_humans"


def against_all_raters(table: Table, drawing: Drawing, *names: object) -> dict[str, Estimate]:
    """Statistic -> estimate of the judge against each rater, averaged, and the difference to people's own alpha.

    Empty without verdicts or raters. Two raters are needed for the difference.
    """
    sample = _comparable(table)
    if sample is None:
        return {}
    statistics = _Statistics(table, sample)
    found = resampled(
        statistics.features(sample),
        sample.cluster_N,
        statistics,
        drawing,
        "humans",
        *names,
        unseen_MF=statistics.features(_imagined(table, sample)),
        undefined_because="no variation in the labels: the statistic is 0 / 0",
    )
    n_missing = int((is_there(table.ratings_AN).any(axis=0) & ~is_there(table.verdicts_ON)).sum())
    return {
        name: estimate.model_copy(
            update={
                "n_missing": n_missing,
                "method": f"{says}; {estimate.method}",
                "unit": "share" if name == "percent_agreement" else estimate.unit,
            }
        )
        for name, says, estimate in zip(statistics.names, statistics.says, found, strict=True)
    }


def _blocks(n_raters: int) -> int:
    """A comparison for each rater; of a crowd, each of whom labelled a little, one comparison with all ratings."""
    return n_raters if n_raters <= MAX_SEPARATE_RATERS else 1


def _comparable(table: Table) -> _Sample | None:
    """Rows with a verdict and a rating; for the difference, people are compared on the very same rows."""
    if not table.has_verdicts or not table.raters:
        return None
    if table.n * _blocks(len(table.raters)) * max(1, len(table.scale.labels)) ** 2 > MAX_FEATURES:
        return None
    rated_N = is_there(table.ratings_AN).any(axis=0)
    chosen = [rated_N & is_there(verdicts_N) for verdicts_N in table.verdicts_ON]
    if not any(rows_N.any() for rows_N in chosen):
        return None
    return _Sample(
        judge_N=np.concatenate(
            [verdicts_N[rows_N] for verdicts_N, rows_N in zip(table.verdicts_ON, chosen, strict=True)]
        ),
        ratings_AN=np.concatenate([table.ratings_AN[:, rows_N] for rows_N in chosen], axis=1),
        cluster_N=np.concatenate([table.cluster_N[rows_N] for rows_N in chosen]),
    )


def _imagined(table: Table, sample: _Sample) -> _Sample:
    """Samples that might occur unseen: every label (or end) of the judge beside each that all raters could agree on."""
    if table.scale.kind == "interval":
        said = np.concatenate([sample.judge_N, sample.ratings_AN.reshape(-1)])
        kinds: Values = np.array([np.nanmin(said), np.nanmax(said)])
    else:
        kinds = np.arange(min(len(table.scale.labels), MOST_IMAGINED), dtype=np.int16)
    judge_M, people_M = np.repeat(kinds, len(kinds)), np.tile(kinds, len(kinds))
    return _Sample(judge_M, np.tile(people_M, (len(sample.ratings_AN), 1)), np.arange(len(judge_M)))


class _Statistics:
    """Sums of one table -> the statistics by name; nan where undefined."""

    def __init__(self, table: Table, sample: _Sample):
        n_raters = len(sample.ratings_AN)
        self.metric = sums.metric_of(table.scale)
        self.n_labels = len(table.scale.labels)
        self.n_blocks = _blocks(n_raters)
        # Moments are taken about one centre: alpha and r do not change, and large means cost no digits.
        self.centre = float(np.nanmean(sample.ratings_AN)) if self.metric == "interval" else 0.0
        alpha = alpha_name(table)
        agreement = ["pearson"] if self.metric == "interval" else ["percent_agreement", "cohen_kappa"]
        if self.metric == "ordinal":
            agreement += ["cohen_kappa_linear", "cohen_kappa_quadratic"]
        self.names = [*agreement, alpha]
        over = f"mean over {n_raters} raters" if self.n_blocks == n_raters else f"all ratings of {n_raters} raters"
        self.says = [f"{over}: {name} with the judge" for name in self.names]
        if n_raters >= 2:
            self.names.append(difference_name(table))
            self.says.append(f"{over}: {alpha} with the judge, minus {alpha} of the raters")

    def features(self, sample: _Sample) -> Floats:
        """Addends: a block per rater (judge against that rater) or one for all, then the raters' own block."""
        if self.metric == "interval":
            judge_N, ratings_AN = sample.judge_N - self.centre, sample.ratings_AN - self.centre
            blocks = (sums.gapped_pair_moments(ratings_N, judge_N) for ratings_N in ratings_AN)
            people_NF = sums.rater_moments(ratings_AN)
        else:
            blocks = (sums.pair_counts(ratings_N, sample.judge_N, self.n_labels) for ratings_N in sample.ratings_AN)
            people_NF = sums.coincidence_counts(sample.ratings_AN, self.n_labels)
        judge_blocks = [reduce(np.add, blocks)] if self.n_blocks == 1 else list(blocks)
        return np.concatenate([*judge_blocks, people_NF], axis=1)

    def __call__(self, sums_BF: Floats) -> Floats:
        width = sums.PAIR_MOMENTS if self.metric == "interval" else self.n_labels**2
        judge_BAF = sums_BF[:, : width * self.n_blocks].reshape(len(sums_BF), self.n_blocks, width)
        people_BF = sums_BF[:, width * self.n_blocks :]
        values = (
            self._of_moments(judge_BAF, people_BF)
            if self.metric == "interval"
            else self._of_counts(judge_BAF, people_BF)
        )
        return np.stack(values[: len(self.names)], axis=1)

    def _of_moments(self, judge_BAF: Floats, people_B4: Floats) -> list[Floats]:
        flat_RF = judge_BAF.reshape(-1, sums.PAIR_MOMENTS)
        pearson_B = _mean_over_raters(pearson_of_moments(flat_RF).reshape(judge_BAF.shape[:2]))
        alpha_B = _mean_over_raters(alpha_of_moments(flat_RF).reshape(judge_BAF.shape[:2]))
        return [pearson_B, alpha_B, alpha_B - sums.alpha_of_rater_moments(people_B4)]

    def _of_counts(self, judge_BAF: Floats, people_BF: Floats) -> list[Floats]:
        size = self.n_labels
        metric: Literal["nominal", "ordinal"] = "ordinal" if self.metric == "ordinal" else "nominal"
        confusion_BAKK = judge_BAF.reshape(*judge_BAF.shape[:2], size, size)
        values = [accuracy_of_tables(confusion_BAKK), sums.kappa(confusion_BAKK)]
        if metric == "ordinal":
            values += [sums.kappa(confusion_BAKK, "linear"), sums.kappa(confusion_BAKK, "quadratic")]
        coincidences_BAKK = confusion_BAKK + np.swapaxes(confusion_BAKK, -1, -2)
        alpha_B = _mean_over_raters(alpha_of_coincidences(coincidences_BAKK, metric))
        people_B = alpha_of_coincidences(people_BF.reshape(len(people_BF), size, size), metric)
        return [*(_mean_over_raters(value_BA) for value_BA in values), alpha_B, alpha_B - people_B]


def _mean_over_raters(values_BA: Floats) -> Floats:
    """Mean over the raters for whom the statistic is defined; nan when it is for none."""
    defined_BA = np.isfinite(values_BA)
    return ratio(np.where(defined_BA, values_BA, 0.0).sum(axis=1), defined_BA.sum(axis=1).astype(float))
