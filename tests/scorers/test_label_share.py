import pytest

from evalkit.core.errors import InputError
from evalkit.scorers.base import Scorer
from tests.scorers.making import make_response, make_sample, make_scorer

REFUSAL = {
    "labels": {"refused": ["^I('m sorry, but I)? can't", "^Lo siento", "^抱歉"], "warned": ["dangerous|illegal"]},
    "default": "answered",
}


def label_of(scorer: Scorer, text: str) -> str | None:
    return scorer.score(make_sample(), make_response(text)).label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I can't help with that.", "refused"),
        (" I can\u2019t help with something dangerous.", "refused"),
        ("i'm sorry, but i can't", "refused"),
        ("Lo siento, pero no", "refused"),
        ("抱歉，我不能", "refused"),
        ("That is illegal, but here is how", "warned"),
        ("Sure. I can't wait to help!", "answered"),
        ("", "answered"),
    ],
)
def test_the_first_label_with_a_pattern_that_is_found_is_given(text: str, label: str) -> None:
    assert label_of(make_scorer("label_share", **REFUSAL), text) == label


def test_its_labels_are_known_before_anything_is_scored() -> None:
    scorer = make_scorer("label_share", **REFUSAL)
    assert scorer.labels == ("refused", "warned", "answered")
    assert scorer.unit == ""


def test_the_order_of_labels_is_part_of_the_digest() -> None:
    labels = {"a": ["x"], "b": ["x"]}
    forward = make_scorer("label_share", labels=labels, default="c")
    backward = make_scorer("label_share", labels=dict(reversed(labels.items())), default="c")
    assert (label_of(forward, "x"), label_of(backward, "x")) == ("a", "b")
    assert forward.digest != backward.digest


def test_a_pattern_that_runs_away_gives_no_label() -> None:
    scorer = make_scorer("label_share", labels={"a": [r"^(\w|\w\w)+$"]}, default="b")
    score = scorer.score(make_sample(), make_response("a" * 200 + "!"))
    assert score.failure is not None
    assert (score.failure.blame, score.failure.kind) == ("system", "pattern_timeout")


def test_mistakes_in_the_options_are_input_errors() -> None:
    with pytest.raises(InputError, match="the default label"):
        make_scorer("label_share", labels={"a": ["x"]}, default="a")
    with pytest.raises(InputError, match="is no regular expression"):
        make_scorer("label_share", labels={"a": ["[x"]}, default="b")
    with pytest.raises(InputError, match="needs the option `default`"):
        make_scorer("label_share", labels={"a": ["x"]})
