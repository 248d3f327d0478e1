from pathlib import Path

import pytest
from pydantic import ValidationError

from evalkit.calibration.spec import CalibrationSpec
from evalkit.content.parse import load_yaml, validate
from tests.conftest import REPOSITORY

EXAMPLES = sorted((REPOSITORY / "docs" / "examples" / "calibration").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_spec_is_valid(path: Path) -> None:
    spec = validate(load_yaml(path), CalibrationSpec)
    assert spec.labels.file is not None


def test_numbers_in_yaml_count_as_the_text_they_are_compared_by() -> None:
    spec = CalibrationSpec.model_validate({"labels": {"where": {"bullet": [1, 2.0, True]}, "collapse": {"a": 0}}})
    assert spec.labels.where == {"bullet": ("1", "2", "true")}
    assert spec.labels.collapse == {"a": "0"}


def test_verdicts_are_collapsed_as_the_labels_unless_the_spec_says_otherwise() -> None:
    same = CalibrationSpec.model_validate({"labels": {"collapse": {"x": "y"}}, "judgements": {}})
    other = CalibrationSpec.model_validate({"labels": {"collapse": {"x": "y"}}, "judgements": {"collapse": {}}})
    assert same.verdict_collapse == {"x": "y"}
    assert other.verdict_collapse == {}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"by": ["criterion"]}, "sliced by itself"),
        ({"by": ["language", "language"]}, "twice"),
        ({"by": ["language"], "show_by": ["language"]}, "twice"),
        ({"show_by": ["order"]}, "sliced by itself"),
        ({"scale": "ordinl:a<b"}, "not known"),
        ({"order": "both"}, "'ab', 'ba' or 'each'"),
        ({"labels": {"filter": {}}}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        CalibrationSpec.model_validate(settings)
