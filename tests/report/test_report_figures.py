import re

from evalkit.report.figures import ForestRow, forest
from tests.report.pages import Page

ROWS = [
    ForestRow("metric", None, None, None, heading=True),
    ForestRow("overall", -1.0, -2.0, 0.5, margin=-2.0, note="n = 20"),
    ForestRow("language=ja", 3.0, 1.0, 5.0, tone="better"),
    ForestRow("people: metric", 1.0, None, None, hollow=True),
]


def drawn(name: str, rows: list[ForestRow]) -> str:
    return str(forest(name, rows, title="t", description="d", axis="points", ends=("worse", "better")))


def test_two_figures_share_no_id() -> None:
    one, two = Page(drawn("one", ROWS)), Page(drawn("two", ROWS))
    assert one.ids
    assert not set(one.ids) & set(two.ids)


def test_the_same_rows_give_the_same_bytes() -> None:
    assert drawn("one", ROWS) == drawn("one", ROWS)


def test_texts_in_any_script_are_written_and_never_read_as_mathematics() -> None:
    label = "$x^2$ ありがとう <b> العربية"
    page = Page(drawn("one", [ForestRow(label, 1.0, 0.0, 2.0)]))
    assert label in page.text
    assert page.named("b") == []


def test_a_figure_brings_no_colours_fonts_or_style_of_its_own() -> None:
    svg = drawn("one", ROWS)
    assert "<style" not in svg
    assert "<metadata" not in svg
    assert "http" not in svg
    assert not re.findall(r"(?:fill|stroke): #(?!0{6}|f{6})", svg)
    assert "var(--better)" in svg


def test_a_figure_has_a_title_and_a_description_that_label_it() -> None:
    page = Page(drawn("one", ROWS))
    (svg,) = page.named("svg")
    assert svg["role"] == "img"
    assert svg["aria-labelledby"] == "one-title one-desc"
    assert {"one-title", "one-desc"} <= set(page.ids)


def test_a_figure_without_any_value_is_still_a_figure() -> None:
    assert "no value" in drawn("one", [ForestRow("overall", None, None, None, note="no value")])
