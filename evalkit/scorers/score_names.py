"""The names under which a judge's scores stand in a run."""


def score_name(judge: str, criteria: tuple[str, ...], criterion: str) -> str:
    """`judge:NAME` for a judge of one criterion, `judge:NAME/criterion` for one of several.

    >>> score_name("refusal", ("refusal",), "refusal"), score_name("essay", ("style", "facts"), "facts")
    ('judge:refusal', 'judge:essay/facts')
    """
    return f"judge:{judge}" if len(criteria) == 1 else f"judge:{judge}/{criterion}"
