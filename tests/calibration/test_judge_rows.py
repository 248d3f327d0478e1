import pytest

from evalkit.core.errors import InputError
from tests.calibration.builders import columns, joined, verdict, verdicts

LABELS = columns(ann="ab")
PROMPTED = [
    verdict(f"i{number}", value, judge=judge, prompting=prompting)
    for judge, prompting in (("gpt", "plain"), ("gpt", "chain"), ("llama", "plain"))
    for number, value in enumerate("ab")
]
SWAPPED = [*verdicts("ab", order="ab"), *verdicts("bb", order="ba")]


def test_the_only_judge_needs_no_name() -> None:
    found = joined(LABELS, verdicts("ab"))
    assert found.judge is not None
    assert found.judge.name == "gpt"


def test_several_judges_are_listed_and_the_flag_is_named() -> None:
    with pytest.raises(InputError, match=r"holds 3 judges: gpt/chain, gpt/plain, llama/plain\. Choose one, .*--judge"):
        joined(LABELS, PROMPTED)


def test_a_judge_with_several_prompts_is_still_several() -> None:
    with pytest.raises(InputError, match='judge "gpt" fits 2 judges: gpt/chain, gpt/plain'):
        joined(LABELS, PROMPTED, judgements={"judge": "gpt"})


@pytest.mark.parametrize(
    "settings",
    [
        {"judge": "gpt/chain"},
        {"judge": "gpt", "prompting": "chain"},
        {"where": {"judge": "gpt", "prompting": "chain"}},
        {"prompting": "chain"},
    ],
)
def test_one_combination_can_be_named_in_several_ways(settings: dict[str, object]) -> None:
    found = joined(LABELS, PROMPTED, judgements=settings)
    assert found.judge is not None
    assert found.judge.name == "gpt/chain"


def test_a_judge_whose_name_has_a_slash_is_found_by_it() -> None:
    found = joined(LABELS, verdicts("ab", judge="org/model"), judgements={"judge": "org/model"})
    assert found.judge is not None
    assert (found.judge.judge, found.judge.prompting) == ("org/model", None)


def test_an_unknown_judge_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r'judge "lama/plain" is not known. Did you mean "llama/plain"'):
        joined(LABELS, PROMPTED, judgements={"judge": "lama/plain"})


def test_two_orders_are_never_averaged_silently() -> None:
    with pytest.raises(InputError, match="--order ab, --order ba, or --order each"):
        joined(LABELS, SWAPPED)


def test_an_order_can_be_chosen_by_flag_or_by_filter() -> None:
    for settings in ({"order": "ba"}, {"judgements": {"where": {"order": "ba"}}}):
        (table,) = joined(LABELS, SWAPPED, **settings).tables
        assert table.orders == ("ba",)
        assert table.verdicts_ON.tolist() == [[1, 1]]


def test_each_order_keeps_both() -> None:
    (table,) = joined(LABELS, SWAPPED, order="each").tables
    assert table.orders == ("ab", "ba")
    assert table.verdicts_ON.tolist() == [[0, 1], [1, 1]]


def test_an_order_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="the verdicts carry no order"):
        joined(LABELS, verdicts("ab"), order="ab")
    with pytest.raises(InputError, match="in order ab alone"):
        joined(LABELS, verdicts("ab", order="ab"), order="each")
