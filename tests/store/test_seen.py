"""Texts that were met before: as a set of them would say."""

from hypothesis import given
from hypothesis import strategies as st

from evalkit.store import seen
from evalkit.store.seen import SeenTexts


@given(st.lists(st.text(max_size=3)))
def test_a_text_is_new_once(texts: list[str]) -> None:
    met, known = SeenTexts(), set()
    for text in texts:
        assert met.add(text) == (text not in known)
        known.add(text)
    assert len(met) == len(known)


def test_what_is_packed_is_still_known() -> None:
    met = SeenTexts()
    n = 2 * seen.RECENT_LIMIT + 10
    assert all(met.add(str(number)) for number in range(n))
    assert not any(met.add(str(number)) for number in range(0, n, 97))
    assert len(met) == n


def test_half_a_surrogate_pair_is_a_text_too() -> None:
    met = SeenTexts()
    assert met.add("\ud800")
    assert not met.add("\ud800")
