from pathlib import Path

import pytest

from evalkit.core.errors import InputError
from tests.calibration.builders import card, columns, joined, label, verdict, verdicts


def test_labels_and_verdicts_of_the_same_response_stand_in_the_same_column() -> None:
    (table,) = joined(columns(ann="abab", ben="aabb"), verdicts("abba")[::-1]).tables
    assert [key[0] for key in table.keys] == ["i0", "i1", "i2", "i3"]
    assert table.scale.labels == ("a", "b")
    assert table.ratings("ann").tolist() == [0, 1, 0, 1]
    assert table.verdicts_ON.tolist() == [[0, 1, 1, 0]]


def test_a_table_cannot_be_changed() -> None:
    (table,) = joined(columns(ann="ab"), verdicts("ab")).tables
    with pytest.raises(ValueError, match="read-only"):
        table.ratings_AN[0, 0] = 1


def test_aggregates_are_no_raters() -> None:
    labels = columns(ann="ab", ben="ab", majority="ab", adjudicated="ab", gold="ab")
    (table,) = joined(labels).tables
    assert table.raters == ("ann", "ben")
    assert set(table.aggregates) == {"majority", "adjudicated", "gold"}
    (numbers,) = joined(columns(ann=[1, 2], mean_of_annotators=[1.5, 2.5])).tables
    assert numbers.raters == ("ann",)


def test_numbers_default_to_an_interval_and_text_to_a_nominal_scale() -> None:
    assert joined(columns(ann=[1, 2.5])).tables[0].scale.kind == "interval"
    assert joined(columns(ann="ab")).tables[0].scale.kind == "nominal"


def test_numbers_are_labels_where_the_scale_says_so() -> None:
    (table,) = joined(columns(ann=[1, 3]), verdicts([2.0, 3]), scale="ordinal:1<2<3").tables
    assert table.ratings("ann").tolist() == [0, 2]
    assert table.verdicts_ON.tolist() == [[1, 2]]


def test_without_verdicts_there_is_no_judge() -> None:
    found = joined(columns(ann="ab", ben="ab"))
    assert found.judge is None
    assert not found.tables[0].has_verdicts


def test_a_label_without_a_verdict_row_is_missing_and_said() -> None:
    found = joined(columns(ann="aab"), verdicts("ab"))
    assert found.tables[0].verdicts_ON.tolist() == [[0, 1, -1]]
    assert found.notes == ("refusal: 1 labelled responses have no verdict row; their verdicts are missing.",)


def test_a_null_verdict_is_missing_unless_the_spec_says_what_it_counts_as() -> None:
    labels, judged = columns(ann="ab"), verdicts(["a", None])
    assert joined(labels, judged).tables[0].verdicts_ON.tolist() == [[0, -1]]
    counted = joined(labels, judged, judgements={"null_as": "b"})
    assert counted.tables[0].verdicts_ON.tolist() == [[0, 1]]


def test_a_verdict_that_is_filtered_out_takes_its_response_out_of_the_comparison() -> None:
    judged = [verdict("i0", "a", sure="yes"), verdict("i1", "b", sure="no")]
    found = joined(columns(ann="ab"), judged, judgements={"where": {"sure": "yes"}})
    assert [key[0] for key in found.tables[0].keys] == ["i0"]
    assert "1 labelled responses are left out" in found.notes[0]


def test_classes_are_collapsed_on_both_sides() -> None:
    collapse = {"full": "refuse", "partial": "refuse", "none": "comply"}
    (table,) = joined(
        columns(ann=["full", "partial", "none"]), verdicts(["partial", "none", "none"]), labels={"collapse": collapse}
    ).tables
    assert table.scale.labels == ("comply", "refuse")
    assert table.ratings("ann").tolist() == [1, 1, 0]
    assert table.verdicts_ON.tolist() == [[1, 0, 0]]


def test_each_side_may_name_another_criterion_and_field() -> None:
    labels = [label("i0", "ann", 30, criterion="score", z=-0.5), label("i1", "ann", 90, criterion="score", z=0.5)]
    judged = [verdict("i0", -1.0, criterion="logprob"), verdict("i1", -0.1, criterion="logprob")]
    (table,) = joined(
        labels, judged, labels={"criterion": "score", "field": "z"}, judgements={"criterion": "logprob"}
    ).tables
    assert table.ratings("ann").tolist() == [-0.5, 0.5]
    assert table.verdicts_ON.tolist() == [[-1.0, -0.1]]


def test_a_star_at_the_end_of_a_filter_stands_for_any_ending() -> None:
    labels = [label("web-1", "ann", "a"), label("mail-1", "ann", "b")]
    (table,) = joined(labels, labels={"where": {"item_id": "web-*"}}).tables
    assert [key[0] for key in table.keys] == ["web-1"]


def test_slice_columns_come_from_the_items_the_system_or_the_label_row() -> None:
    items = [{"item_id": "i0", "meta": {"split": "test"}}, {"item_id": "i1", "meta": {"split": "dev"}}]
    labels = [label("i0", "ann", "a", shift="early"), label("i1", "ann", "b", shift="late")]
    (table,) = joined(labels, by=("meta.split", "system", "shift"), items_rows=items).tables
    assert {name: list(values) for name, values in table.columns.items()} == {
        "meta.split": ["test", "dev"],
        "system": ["s", "s"],
        "shift": ["early", "late"],
    }


def test_systems_that_answer_the_same_item_are_one_cluster() -> None:
    labels = [label(item, "ann", "a", system=system) for item in ("x", "y") for system in ("s", "t")]
    assert joined(labels).tables[0].cluster_N.tolist() == [0, 0, 1, 1]
    assert joined(labels, cluster="none").tables[0].cluster_N.tolist() == [0, 1, 2, 3]


def test_a_label_that_is_there_twice_with_two_values_names_both_lines() -> None:
    labels = [label("i0", "ann", "a"), label("i0", "ben", "a"), label("i0", "ann", "b")]
    with pytest.raises(
        InputError, match=r'human.jsonl:3: annotator "ann" labels .* twice: "a" in line 1 and "b" in line 3'
    ):
        joined(labels)


def test_a_label_that_is_there_twice_with_one_value_counts_once() -> None:
    found = joined([label("i0", "ann", "a"), label("i0", "ann", "a")])
    assert found.n_labels == 1
    assert "repeat an earlier row" in found.notes[0]


def test_two_verdicts_on_one_response_are_refused() -> None:
    with pytest.raises(InputError, match=r"judge.jsonl:2: .* two verdicts"):
        joined(columns(ann="a"), [verdict("i0", "a"), verdict("i0", "b")])


def test_labels_that_join_no_verdict_show_both_keys() -> None:
    with pytest.raises(
        InputError, match=r'a label has item_id "i0", system "s"; a verdict has item_id "i0", system "S"'
    ):
        joined(columns(ann="a"), [verdict("i0", "a", system="S")])


def test_criteria_that_do_not_meet_are_both_named() -> None:
    with pytest.raises(InputError, match='the labels speak of refusal, judge "gpt" of tone'):
        joined(columns(ann="a"), [verdict("i0", "a", criterion="tone")])


def test_a_value_that_is_not_on_the_scale_names_its_line() -> None:
    with pytest.raises(InputError, match=r'human.jsonl:2: "c" is not on the ordinal scale \(a, b\)'):
        joined(columns(ann="ac"), scale="ordinal:a<b")


def test_text_among_numbers_names_both_lines() -> None:
    with pytest.raises(InputError, match=r'human.jsonl:2: the value "x" is text, but human.jsonl:1 has the number 1'):
        joined(columns(ann=[1, "x"]))


def test_a_binary_scale_with_three_labels_is_refused() -> None:
    with pytest.raises(InputError, match="two labels, but there are 3"):
        joined(columns(ann="abc"), scale="binary")


def test_an_unknown_slice_column_names_the_nearest() -> None:
    items = [{"item_id": "i0", "language": "ar"}]
    with pytest.raises(InputError, match=r'column "langauge" is not known. Did you mean "language"'):
        joined(columns(ann="a"), by=("langauge",), items_rows=items)


def test_items_that_are_about_other_responses_are_refused() -> None:
    with pytest.raises(InputError, match='a label has item_id "i0", an item has "other"'):
        joined(columns(ann="a"), by=("language",), items_rows=[{"item_id": "other", "language": "ar"}])


def test_an_unknown_reference_or_criterion_names_those_that_are_known() -> None:
    with pytest.raises(InputError, match=r'reference "gold" is not known. Known: ann'):
        joined(columns(ann="ab"), reference="gold")
    with pytest.raises(InputError, match=r'criterion "refusl" is not known. Did you mean "refusal"'):
        joined(columns(ann="ab"), labels={"criterion": "refusl"})


def test_a_column_that_names_each_sample_is_no_slice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column item_id has 201 different values"):
        card(tmp_path, columns(ann="a" * 201), by=("item_id",))
