"""A report: its gates are checked when it is loaded, and their places are kept."""

import pytest

from evalkit.content.reports import check_gates, load_report
from evalkit.core.errors import InputError
from evalkit.core.suite import DataSource, MetricSpec, ScorerSpec, Suite, Task
from tests.content.conftest import Put

REPORT = """\
sections: [gates, slices]
gates:
  - metric: support.over_refusal
    rule: no_worse_than
    margin: 0.02
    by: [language]
    required: [{language: "no"}]
    severity: blocking
    needs_card: human
    max_missing: 0.02
  - {metric: support.cost, rule: at_most, bound: 0.01}
"""


def error_of(put: Put, old: str, new: str) -> str:
    assert old in REPORT
    put("reports/release/report.yaml", REPORT.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_report("release")
    return str(caught.value)


def test_a_report_is_named_for_its_folder_and_keeps_the_places_of_its_gates(put: Put) -> None:
    put("reports/release/report.yaml", REPORT)
    loaded = load_report("release")
    assert loaded.spec.name == "release"
    assert loaded.spec.gates[0].required == ({"language": "no"},)
    assert str(loaded.gate_place(0)) == "reports/release/report.yaml:3:5"
    assert str(loaded.gate_place(1, "metric")) == "reports/release/report.yaml:11:14"


def test_a_required_slice_in_norwegian_needs_no_quotes(put: Put) -> None:
    put("reports/release/report.yaml", REPORT.replace('"no"', "no"))
    assert load_report("release").spec.gates[0].required == ({"language": "no"},)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rule: no_worse_than", "rule: no_worse", '4:11: `rule` is "no_worse"; expected one of: no_worse_than'),
        ("margin: 0.02", "margn: 0.02", '5:5: key "margn" is not known here. Did you mean "margin"?'),
        ("support.over_refusal", "over_refusal", '3:13: `metric` is "over_refusal"; expected TASK.METRIC'),
        ("by: [language]", "by: [lang]", '6:10: column "lang" is not known.'),
        ("by: [language]", "by: language", '6:9: `by` is "language"; expected a list.'),
        ('{language: "no"}', "{lang: en}", '7:17: column "lang" is not known.'),
        (", bound: 0.01", "", "11:5: `bound` is missing here: at_most needs the number that must be held"),
        (", bound: 0.01", ", bound: 1, margin: 0", "11:53: `margin` does not go with at_most, which reads `bound`."),
        ("margin: 0.02", "bound: 0.02", "5:5: `bound` does not go with no_worse_than, which reads `margin`."),
        ("cost, rule: at_most, bound: 0.01", "over_refusal", '11:5: gate "support.over_refusal no_worse_than" is'),
    ],
)  # fmt: skip
def test_a_slip_is_said_with_its_place_and_mend(put: Put, old: str, new: str, message: str) -> None:
    assert error_of(put, old, new).startswith(f"reports/release/report.yaml:{message}")


def test_a_gate_on_a_metric_the_suite_does_not_have_is_said_at_its_place(put: Put) -> None:
    task = Task(
        name="support",
        data=DataSource(file="d.jsonl"),
        scorers=(ScorerSpec(scorer="cost", name="cost"),),
        metrics=(MetricSpec(name="over_refusals", scorer="cost"), MetricSpec(name="cost", scorer="cost")),
    )
    put("reports/release/report.yaml", REPORT)
    with pytest.raises(InputError) as caught:
        check_gates(load_report("release"), Suite(name="s", tasks=(task,)))
    assert str(caught.value).startswith(
        'reports/release/report.yaml:3:13: metric "support.over_refusal" is not known. '
        'Did you mean "support.over_refusals"?'
    )


def test_a_gate_on_every_metric_fits_any_suite(put: Put) -> None:
    task = Task(name="t", data=DataSource(file="d.jsonl"), scorers=(ScorerSpec(scorer="exact", name="exact"),))
    put("reports/release/report.yaml", 'gates: [{metric: "*", margin: 0.05}]\n')
    check_gates(load_report("release"), Suite(name="s", tasks=(task,)))
