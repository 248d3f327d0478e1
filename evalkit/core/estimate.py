"""A number that may leave the statistics: with its interval, its n and its method."""

from pydantic import model_validator

from evalkit.core.noun import Noun

Slice = dict[str, str]
"""Column -> value, e.g. {"language": "ar"}; {} = everything."""


class Estimate(Noun):
    """A value with its interval.

    >>> print(Estimate(value=0.84, low=0.81, high=0.87, n=400, n_clusters=120, method="wilson"))
    0.84 [0.81, 0.87], n = 400 in 120 clusters
    """

    value: float | None
    """None = undefined; `reason` says why."""
    low: float | None = None
    """Lower end of the interval; None = cannot be computed, `reason` or `method` says why."""
    high: float | None = None
    level: float = 0.95
    """Confidence level of [low, high]."""
    n: int
    """Samples the value rests on."""
    n_clusters: int | None = None
    """Independent groups among them; None = samples are taken as independent."""
    n_missing: int = 0
    """Samples that should have counted but have no value."""
    method: str = ""
    """How value and interval were found, with draws and seed when drawn."""
    unit: str = ""
    """`share` (0 to 1), `tokens`, `usd`, `s`; "" for coefficients."""
    reason: str | None = None
    """Why value (or the interval) is None."""

    @model_validator(mode="after")
    def _undefined_has_a_reason(self) -> "Estimate":
        if self.value is None and not self.reason:
            raise ValueError("an undefined estimate says why in `reason`")
        return self

    def __str__(self) -> str:
        """As shown to people."""
        if self.value is None:
            return f"undefined ({self.reason})"
        interval = f" [{self.low:.3g}, {self.high:.3g}]" if self.low is not None and self.high is not None else ""
        clusters = f" in {self.n_clusters} clusters" if self.n_clusters not in (None, self.n) else ""
        return f"{self.value:.3g}{interval}, n = {self.n}{clusters}"


def undefined(reason: str, *, n: int = 0, method: str = "", unit: str = "", n_missing: int = 0) -> Estimate:
    """An estimate without a value, and why."""
    return Estimate(value=None, n=n, n_missing=n_missing, method=method, unit=unit, reason=reason)
