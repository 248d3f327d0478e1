"""scipy.special, loaded when one of its functions is first called: importing it costs as much as a small run takes.

    from evalkit.stats import special
    special.stdtrit(9, 0.975)

The normal quantile, which every share's interval needs, comes from the standard library and loads nothing.
"""

from importlib import import_module
from statistics import NormalDist
from typing import Any


def normal_quantile(probability: float) -> float:
    """The standard normal's quantile, 0 < probability < 1; within 1e-15 of scipy's ndtri (Wichura 1988, AS 241).

    >>> round(normal_quantile(0.975), 12)
    1.95996398454
    """
    return NormalDist().inv_cdf(probability)


def __getattr__(name: str) -> Any:
    """A function of scipy.special, for numbers or arrays."""
    return getattr(import_module("scipy.special"), name)
