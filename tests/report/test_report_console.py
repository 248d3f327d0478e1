from evalkit.report.console import summary_lines
from tests.report.changed_samples import HOSTILE
from tests.report.gate_samples import decisions
from tests.report.samples import comparison


def test_the_verdict_is_the_first_line_and_the_worst_gate_the_first_row() -> None:
    lines = summary_lines(comparison())
    assert lines[0].startswith("REGRESSED: do not release llama2new")
    assert lines[3].split()[:3] == ["regressed", "chat.correct", "language=ar"]
    assert "−8.1 points [−11.8, −4.6]" in lines[3]


def test_the_verdict_is_said_once() -> None:
    assert summary_lines(comparison(sentence="an hour was lost"))[0] == "REGRESSED: an hour was lost"


def test_names_cannot_steer_the_terminal() -> None:
    hostile = decisions()[0].model_copy(update={"metric": HOSTILE, "slice": {HOSTILE: HOSTILE}})
    lines = summary_lines(comparison(sentence=HOSTILE, decisions=(hostile,), notes=(HOSTILE,)))
    for line in lines:
        assert not set("\x1b\x00\u202e\n\r") & set(line)
        line.encode("utf-8")


def test_a_long_list_of_gates_is_cut_and_counted() -> None:
    many = tuple(decisions()[0].model_copy(update={"slice": {"language": f"l{number}"}}) for number in range(50))
    lines = summary_lines(comparison(decisions=many))
    assert lines[-1] == "and 30 more slices (30 pass), all in gates.csv"


def test_without_decisions_the_sentence_stands_alone() -> None:
    assert summary_lines(comparison(verdict="invalid", sentence="suites differ", decisions=())) == [
        "INVALID: suites differ"
    ]
