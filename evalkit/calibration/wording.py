"""How a card's sentences write numbers and names."""

from evalkit.core.estimate import Estimate

STATISTIC_NAMES = {
    "cohen_kappa": "Cohen kappa",
    "cohen_kappa_quadratic": "quadratic kappa",
    "fleiss_kappa": "Fleiss kappa",
    "krippendorff_alpha_nominal": "Krippendorff alpha",
    "krippendorff_alpha_ordinal": "Krippendorff alpha (ordinal)",
    "krippendorff_alpha_interval": "Krippendorff alpha (interval)",
}

_COUNTS = {1: "one person", 2: "two people", 3: "three people", 4: "four people", 5: "five people", 6: "six people"}


def people(n: int) -> str:
    """How many people, in words while they are few."""
    return _COUNTS.get(n, f"{n} people")


def coefficient(value: float, digits: int = 2) -> str:
    """A share or coefficient without its leading zero.

    >>> coefficient(0.6536, 3), coefficient(-0.28), coefficient(1.0), coefficient(-0.001)
    ('.654', '-.28', '1.00', '.00')
    """
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def with_interval(estimate: Estimate, limit_digits: int = 2) -> str:
    """`.654 [.62, .69]`; without an interval, the value alone. A limit held against a floor shows three digits."""
    if estimate.value is None:
        return f"undefined ({estimate.reason})"
    value = coefficient(estimate.value, 3)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{coefficient(estimate.low, limit_digits)}, {coefficient(estimate.high, limit_digits)}]"


def reference_words(name: str) -> str:
    """How a sentence speaks of a reference.

    >>> reference_words("adjudicated"), reference_words("ann")
    ('the adjudicated label', 'ann')
    """
    if name in ("adjudicated", "gold", "majority"):
        return f"the {name} label"
    return "the mean label" if name.startswith("mean") else name
