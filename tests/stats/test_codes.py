import numpy as np
import pytest

from evalkit.core.scale import Scale
from evalkit.stats.codes import as_numbers, categories_of, label_codes


def test_labels_become_their_places_on_the_scale() -> None:
    scale = Scale.parse("ordinal:low<mid<high")
    assert label_codes(np.array(["high", "low", None], dtype=object), categories_of(scale)).tolist() == [2, 0, -1]


def test_a_grade_read_as_a_number_is_the_same_label() -> None:
    assert label_codes([1.0, 2, "3", np.float64(1)], ("1", "2", "3")).tolist() == [0, 1, 2, 0]


def test_open_scales_take_the_labels_that_occur_sorted() -> None:
    assert categories_of(Scale.parse("nominal"), ["b", None], ["ä", "a"]) == ("a", "b", "ä")
    assert categories_of(Scale.parse("binary"), ["yes", "no"]) == ("no", "yes")


def test_an_open_binary_scale_refuses_a_third_label() -> None:
    with pytest.raises(ValueError, match="two labels, got maybe, no, yes"):
        categories_of(Scale.parse("binary"), ["yes", "no", "maybe"])


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match='"good" is not a number'):
        as_numbers([1, "good"])
    with pytest.raises(ValueError, match="not finite"):
        as_numbers([float("inf")])
    assert np.isnan(as_numbers([None, float("nan")])).all()
