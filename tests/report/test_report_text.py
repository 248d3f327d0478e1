import unicodedata

import regex
from hypothesis import given
from hypothesis import strategies as st

from evalkit.report.text import one_line, shown_text, visible, with_chips

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)


@given(ANY)
def test_no_control_or_surrogate_is_left(text: str) -> None:
    for shown in (str(with_chips(text)), visible(text)):
        assert not [one for one in shown if unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t"]
        assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u200b\ufeff") & set(shown)
        shown.encode("utf-8")


@given(ANY)
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(ANY)
def test_markup_never_comes_through(text: str) -> None:
    without_chips = regex.sub(r'<span class="chip" title="[^"<>]*">U\+[0-9A-F]{4,6}</span>', "", str(with_chips(text)))
    assert not set("<>\"'") & set(without_chips)


@given(ANY, st.integers(1, 20))
def test_a_text_is_cut_between_grapheme_clusters(text: str, longest: int) -> None:
    cut = shown_text(text, longest_shown=longest)
    clusters = regex.findall(r"\X", text)
    assert cut.shown == with_chips("".join(clusters[:longest]))
    assert (cut.full is None) == (len(clusters) <= longest)
    assert bool(cut.note) == (len(clusters) > longest)


@given(ANY)
def test_the_console_gets_one_line(text: str) -> None:
    line = one_line(text, 30)
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line


def test_joiners_in_spelling_and_emoji_are_left_alone() -> None:
    for spelt in ("نمی‌خواهم", "क्‍ष", "👩🏽‍🚀", "👨‍👩‍👧", "❤️‍🔥"):
        assert visible(spelt) == spelt


def test_joiners_elsewhere_are_shown() -> None:
    assert visible("pass\u200dword\u200c") == "pass[U+200D]word[U+200C]"


def test_a_text_beyond_the_cap_is_cut_and_says_so() -> None:
    cut = shown_text("a" * 100, longest_shown=10, longest_kept=50)
    assert cut.full is not None
    assert len(cut.full) == 50
    assert cut.note == "the first 10 characters; the text has 100 code points, of which 50 are kept here"
