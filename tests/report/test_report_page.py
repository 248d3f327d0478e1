import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.core.comparison import Comparison
from evalkit.core.estimate import Estimate
from evalkit.report.build import section_order, write_report
from evalkit.report.gates import gate_table, worst_first
from evalkit.report.slices import slice_table
from tests.report.changed_samples import HOSTILE, changed
from tests.report.gate_samples import UNFIT, decision, decisions, difference, share
from tests.report.pages import Page, without_figures
from tests.report.samples import comparison, metric_row, small_comparison

TEXTS = ("prompt", "baseline_text", "candidate_text", "baseline_reason", "candidate_reason")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, templates: Path) -> Page:
    return Page(written(comparison(), tmp_path_factory.mktemp("report"), templates))


def written(shown: Comparison, folder: Path, templates: Path, *, numbers_only: bool = False) -> str:
    path = write_report(shown, folder, template_folder=templates, numbers_only=numbers_only)
    return path.read_text(encoding="utf-8")


def test_the_page_is_as_the_golden_file_says(tmp_path: Path, templates: Path, golden: Path) -> None:
    """To accept a change of the page: EVALKIT_ACCEPT_GOLDEN=1, then read the diff."""
    found = without_figures(written(small_comparison(), tmp_path, templates))
    if os.environ.get("EVALKIT_ACCEPT_GOLDEN"):
        (golden / "report.html").write_text(found, encoding="utf-8")
    assert found == (golden / "report.html").read_text(encoding="utf-8")


def test_the_verdict_comes_first_in_words_and_not_in_colour_alone(page: Page) -> None:
    assert page.text.index("REGRESSED") < page.text.index("do not release llama2new") < page.text.index("Baseline")
    assert "1 regressed 1 inconclusive 2 not decided 6 pass" in page.text


def test_gates_stand_worst_first_and_blocking_before_advisory() -> None:
    outcomes = [found.outcome for found in worst_first(decisions())]
    assert outcomes[:4] == ["regressed", "inconclusive", "undecided", "undecided"]
    estimates = (share(0.5, 0.1, 90), share(0.3, 0.1, 90), difference(-0.2, -0.3, -0.1, 90))
    advisory = decision("a.first", "regressed", estimates, severity="advisory", p_adjusted=0.0)
    blocking = decision("b.second", "inconclusive", estimates)
    assert worst_first([advisory, blocking]) == [blocking, advisory]


def test_peoples_labels_stand_right_beneath_the_judges_row(tmp_path: Path, templates: Path) -> None:
    text = Page(written(small_comparison(), tmp_path, templates)).text
    judge = text.index("xstest.refuses_unsafe_by_judge overall")
    people = text.index("xstest.refuses_unsafe_by_people people’s labels of the same answers 100.0 %")
    assert judge < people < text.index(UNFIT, judge) < text.index("xstest.refuses_unsafe_by_people overall")
    assert "−12.5 points worse [−17.6, −7.4]" in text[judge:people]


def test_many_slices_that_passed_are_folded_and_none_that_did_not() -> None:
    estimates = (share(0.5, 0.1, 90), share(0.5, 0.1, 90), difference(0.0, -0.01, 0.01, 90))
    passed = [decision("a.b", "pass", estimates, slice={"language": f"l{number}"}) for number in range(20)]
    table = gate_table(comparison(decisions=(*passed, *decisions())))
    assert len(table.folded_rows) == 23
    assert {row.decision.outcome for row in table.folded_rows} == {"pass", "undecided"}
    assert sum(row.decision.required for row in table.folded_rows) == 0


def test_hostile_text_is_inert(tmp_path: Path, templates: Path) -> None:
    row = metric_row(
        HOSTILE, {HOSTILE: HOSTILE}, (share(0.5, 0.1, 90), share(0.4, 0.1, 90), difference(-0.1, -0.2, 0, 90))
    )
    gate = decision(HOSTILE, "regressed", (row.baseline, row.candidate, row.difference), slice={HOSTILE: HOSTILE})
    hostile = [sample.model_copy(update={"metric": HOSTILE, "slices": {HOSTILE: HOSTILE}}) for sample in changed()]
    shown = comparison(
        sentence=HOSTILE, suite=HOSTILE, command=HOSTILE, notes=(HOSTILE,), provenance={HOSTILE: [HOSTILE]},
        decisions=(gate.model_copy(update={"because": HOSTILE, "beside": (HOSTILE,)}),), metrics=(row,),
        baseline=comparison().baseline.model_copy(update={"name": HOSTILE, "model": HOSTILE}),
        changed=tuple(hostile),
    )  # fmt: skip
    page = Page(written(shown, tmp_path, templates))
    assert len(page.named("script")) == 1
    assert page.named("img") == page.named("iframe") == page.named("object") == []
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    for character in "\u202e\u200b\x1b\x00":
        assert character not in page.text
    assert "user U+202E gnp.exe" in page.text


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=60))
def test_any_name_leaves_the_page_whole(tmp_path: Path, templates: Path, text: str) -> None:
    estimates = (share(0.5, 0.1, 90), share(0.4, 0.1, 90), difference(-0.1, -0.2, -0.01, 90))
    gate = decision(text, "regressed", estimates, slice={text: text})
    shown = small_comparison(
        sentence=text, decisions=(gate,), metrics=(metric_row(f"{text}.m", {text: text}, estimates),)
    )
    page = Page(written(shown, tmp_path, templates))
    assert len(page.named("script")) == 1
    assert len(page.ids) == len(set(page.ids))


def test_ids_are_unique_and_every_link_within_the_page_leads_somewhere(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    links = [attributes.get("href") or "" for tag, attributes in page.elements if tag in ("a", "use")]
    assert links
    for link in links:
        assert (
            link.lstrip("#") in page.ids
            if link.startswith("#")
            else link in ("gates.csv", "metrics.csv", "changed.csv")
        )


def test_figures_use_their_own_ids(tmp_path: Path, templates: Path) -> None:
    text = written(comparison(), tmp_path, templates)
    ids = set(Page(text).ids)
    used = {part.split(")")[0] for part in text.split("url(#")[1:]}
    assert used <= ids
    assert any(name.startswith("differences-1-") for name in ids)
    assert any(name.startswith("differences-2-") for name in ids)


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path, templates: Path) -> None:
    text = written(small_comparison(), tmp_path, templates)
    page = Page(text)
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert page.named("link") == page.named("img") == page.named("iframe") == []
    assert not [attributes for _, attributes in page.elements if "src" in attributes or "srcset" in attributes]
    policy = next(
        found["content"] for found in page.named("meta") if found.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")


def test_the_same_comparison_gives_the_same_bytes_on_any_day(tmp_path: Path, templates: Path, repository: Path) -> None:
    first = write_report(comparison(), tmp_path / "first", template_folder=templates).read_bytes()
    program = (
        "from pathlib import Path; from evalkit.report.build import write_report; "
        "from tests.report.samples import comparison; "
        f"write_report(comparison(), Path({str(tmp_path / 'second')!r}), template_folder=Path({str(templates)!r}))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": str(repository)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=repository)
    assert (tmp_path / "second" / "report.html").read_bytes() == first


def test_numbers_only_leaves_every_text_out(tmp_path: Path, templates: Path) -> None:
    marked = tuple(
        sample.model_copy(update={name: f"TEXT-{number}-{name}" for name in TEXTS} | {"target": ("TEXT-target",)})
        for number, sample in enumerate(changed())
    )
    page = written(comparison(changed=marked), tmp_path, templates, numbers_only=True)
    everything = page + "".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.csv"))
    assert "TEXT-" not in everything
    assert "Numbers only: this report holds no prompt, answer or reason." in page
    assert "q117@ar" in page


def test_text_has_its_languages_direction(page: Page) -> None:
    assert page.having(class_="text", lang="ar", dir="rtl")
    assert page.having(class_="text", lang="fa", dir="rtl")
    assert page.having(class_="text", lang="ja", dir="ltr")
    # A tag that is none is left out rather than written into an attribute.
    assert not [found for _, found in page.elements if "onload" in (found.get("lang") or "")]


def test_a_long_answer_is_cut_and_can_be_unfolded(page: Page) -> None:
    assert "the first 4,000 characters; the whole text has 7,202" in page.text


def test_sections_follow_the_comparison_and_the_unseen_is_never_left_out() -> None:
    assert section_order(comparison(sections=("cost", "gates"))) == ["cost", "gates", "unseen"]
    assert section_order(comparison(sections=("provenance", "gates"))) == ["unseen", "provenance", "gates"]
    assert section_order(comparison())[-2:] == ["unseen", "provenance"]


def test_a_comparison_without_decisions_says_why_and_no_more(tmp_path: Path, templates: Path) -> None:
    nothing = comparison(
        verdict="invalid", sentence="no comparable baseline: the suites differ", decisions=(), metrics=(), changed=(),
        transitions=(), judges=(),
    )  # fmt: skip
    text = Page(written(nothing, tmp_path, templates)).text
    assert "INVALID no comparable baseline: the suites differ" in text
    assert "No judge was used" not in text


def test_an_undefined_estimate_shows_its_reason_and_no_number(tmp_path: Path, templates: Path) -> None:
    undefined = Estimate(value=None, n=0, reason="no sample has a score in both runs", unit="share")
    gate = decision("a.b", "inconclusive", (undefined, undefined, undefined))
    text = Page(written(small_comparison(decisions=(gate,), metrics=()), tmp_path, templates)).text
    assert "undefined no sample has a score in both runs" in text
    assert "None" not in text
    assert "nan" not in text.split()


def test_a_slice_is_coloured_only_where_it_is_decided_and_large_enough() -> None:
    lines = {line.where: line.cells[3] for _, group in slice_table(comparison()).groups for line in group}
    few, clear = lines["language=hi"], lines["language=ar"]
    assert few is not None
    assert clear is not None
    assert (few.hatched, few.heat) == (True, 0)
    assert (clear.hatched, clear.direction) == (False, "worse")
    assert clear.heat > 0


def test_only_the_first_samples_are_shown_and_the_others_are_counted(tmp_path: Path, templates: Path) -> None:
    write_report(comparison(), tmp_path, template_folder=templates, max_changed=1)
    text = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "newly failing : 61, of which 1 shown here" in text
    assert "q044@fa" not in text
    assert "q044@fa" in (tmp_path / "changed.csv").read_text(encoding="utf-8")


def test_a_folder_of_peoples_text_is_its_owners_alone(tmp_path: Path, templates: Path) -> None:
    write_report(small_comparison(), tmp_path / "new" / "report", template_folder=templates)
    assert stat.S_IMODE((tmp_path / "new" / "report").stat().st_mode) == 0o700


def test_words_on_the_page_have_enough_contrast(templates: Path) -> None:
    style = (templates / "page.css").read_text(encoding="utf-8")
    light, dark = style.split(":root {")[1], style.split(":root {")[2]
    for theme in (light, dark):
        colours = dict(
            part.strip().removeprefix("--").split(": ", 1) for part in theme.split("}")[0].split(";") if "--" in part
        )
        grounds = ["paper", "wash", "hatch"]
        pairs = [(word, ground) for word in ("ink", "muted") for ground in grounds]
        pairs += [
            (tone, ground) for tone in ("better", "worse", "invalid", "unsure") for ground in ("paper", f"{tone}-wash")
        ]
        pairs += [("ink", "better-deep"), ("ink", "worse-deep")]
        for word, ground in pairs:
            assert contrast(colours[word], colours[ground]) >= 4.5, (word, ground)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two #rrggbb colours (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
