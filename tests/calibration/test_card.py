from datetime import timedelta
from pathlib import Path

from evalkit.core.card import JudgeCard
from evalkit.core.digest import digest_of_file
from evalkit.core.judge import RecordedVerdicts, recorded_judge_digest
from tests.calibration.builders import NOW, card, columns, verdicts

LABELS = columns(ann="aabb" * 5, ben="abbb" * 5, gold="aabb" * 5)
JUDGED = verdicts("aabb" * 5)


def test_the_same_rows_give_the_same_card(tmp_path: Path) -> None:
    assert card(tmp_path, LABELS, JUDGED) == card(tmp_path, LABELS, JUDGED)


def test_another_seed_moves_intervals_and_no_value(tmp_path: Path) -> None:
    one, other = (card(tmp_path, LABELS, JUDGED, seed=seed) for seed in (1, 2))
    assert [line.value for line in one.estimates] == [line.value for line in other.estimates]
    assert [line.low for line in one.estimates] != [line.low for line in other.estimates]


def test_a_recorded_judge_is_its_file_and_its_name_there(tmp_path: Path) -> None:
    made = card(tmp_path, LABELS, JUDGED)
    recorded = RecordedVerdicts(file="elsewhere.jsonl", judge="gpt")
    assert made.judge_digest == recorded_judge_digest(digest_of_file(tmp_path / "judge.jsonl"), recorded)
    assert made.judge == "gpt"


def test_a_card_goes_stale_after_ninety_days(tmp_path: Path) -> None:
    made = card(tmp_path, LABELS, JUDGED)
    assert made.made_at == NOW
    assert made.expires_at == NOW + timedelta(days=90)


def test_the_label_set_counts_annotators_and_aggregates_apart(tmp_path: Path) -> None:
    labels = card(tmp_path, LABELS, JUDGED, kind="constructed").labels
    assert (labels.annotators, labels.aggregates) == (("ann", "ben"), ("gold",))
    assert (labels.n_labels, labels.n_samples, labels.kind) == (60, 20, "constructed")


def test_another_choice_of_labels_is_another_label_set(tmp_path: Path) -> None:
    whole = card(tmp_path, LABELS).labels
    part = card(tmp_path, LABELS, labels={"where": {"annotator": ("ann", "ben")}}).labels
    assert whole.digest != part.digest
    assert part.n_labels == 40


def test_a_card_survives_being_written_and_read(tmp_path: Path) -> None:
    made = card(tmp_path, LABELS, JUDGED)
    assert JudgeCard.model_validate_json(made.model_dump_json(by_alias=True)) == made
