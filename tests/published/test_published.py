"""A fast part of `python -m tests.published`: the sets that take a second each."""

import pytest

from tests.published.cards import DATA, Cards
from tests.published.figures import Line, Ours, Published, lines, read_figures
from tests.published.sets import SETS

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"{DATA} is not there: the recorded data lies beside the clone"
)


@needs_data
@pytest.mark.parametrize("name", ["pandalm", "xstest"])
def test_our_cards_reproduce_the_published_figures(name: str) -> None:
    published = read_figures(DATA / name)
    found = {ours.figure: ours for ours in SETS[name](Cards(DATA / name, draws=50))}
    assert found.keys() == published.keys()
    off = [line for figure, ours in found.items() for line in lines(published[figure], ours) if not line.is_same]
    assert off == []


def test_a_figure_is_the_same_within_half_a_unit_of_the_last_digit_shown() -> None:
    assert Line("kappa", ".85", "0.852", 0.8524).is_same
    assert not Line("kappa", ".85", "0.852", 0.8526).is_same


def test_each_number_of_a_figure_is_compared() -> None:
    published = Published("shares", "38.0 | 21.6", "38.0 | 21.6")
    compared = lines(published, Ours("shares", (("full", 38.04), ("partial", 21.7))))
    assert [line.is_same for line in compared] == [True, False]
