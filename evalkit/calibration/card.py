"""From labels and verdicts to a judge's card."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from evalkit.calibration.agree import agreement
from evalkit.calibration.join import Joined, join
from evalkit.calibration.judge_rows import JudgeRows
from evalkit.calibration.rows import Inputs
from evalkit.calibration.spec import CalibrationSpec
from evalkit.core.card import JudgeCard, LabelSet
from evalkit.core.digest import digest_of, digest_of_file
from evalkit.core.judge import RecordedVerdicts, recorded_judge_digest
from evalkit.core.scale import Scale

VALID_FOR = timedelta(days=90)
"""A card is stale after this: the product, its users and the served model move on."""


def make_card(
    inputs: Inputs,
    spec: CalibrationSpec,
    *,
    joined: Joined | None = None,
    now: datetime,
    judge: str | None = None,
    judge_digest: str | None = None,
    command: str = "",
    versions: Mapping[str, str] | None = None,
) -> JudgeCard:
    """The whole card; the same inputs, spec and `now` give the same card.

    joined: the inputs joined by the spec, where the caller has them.
    judge, judge_digest: of a judge that asked a model; None = the verdicts are recorded, and the digest is that of
    their file and the judge's name in it. Raises InputError for rows that contradict each other or join nothing.
    """
    joined = joined or join(inputs, spec)
    found = agreement(joined.tables, spec)
    return JudgeCard(
        judge=judge or (joined.judge.name if joined.judge else None),
        judge_digest=judge_digest or (_recorded_digest(inputs, joined.judge) if joined.judge else None),
        labels=_label_set(inputs, joined, spec),
        criteria=tuple(table.criterion for table in joined.tables),
        scale=_scale(joined),
        by=spec.by,
        estimates=found.estimates,
        fitness=found.fitness,
        confusions=found.confusions,
        distributions=found.distributions,
        seed=spec.seed,
        made_at=now,
        expires_at=now + VALID_FOR,
        command=command,
        versions=dict(versions or {}),
        notes=joined.notes,
        spec=spec.model_dump(mode="json"),
    )


def _recorded_digest(inputs: Inputs, judge: JudgeRows) -> str | None:
    """Identity of a recorded judge: the file's bytes and the name of its rows; where the file lies does not matter."""
    if inputs.verdicts is None:
        return None
    order = judge.orders[0] if len(judge.orders) == 1 and judge.orders[0] else None
    recorded = RecordedVerdicts(
        file=inputs.verdicts.file.name,
        judge=judge.judge,
        prompting=judge.prompting,
        order=order,  # type: ignore[arg-type]  # select_judge lets only ab and ba through
    )
    return recorded_judge_digest(digest_of_file(inputs.verdicts.file), recorded)


def _label_set(inputs: Inputs, joined: Joined, spec: CalibrationSpec) -> LabelSet:
    chosen = spec.labels.model_dump(mode="json", exclude={"file"})
    return LabelSet(
        digest=digest_of({"file": digest_of_file(inputs.labels.file), "labels": chosen}),
        files=tuple(path.name for path in (inputs.labels.file, inputs.items_file) if path is not None),
        kind=spec.kind,
        annotators=joined.annotators,
        aggregates=joined.aggregates,
        n_labels=joined.n_labels,
        n_samples=len({key for table in joined.tables for key in table.keys}),
        systems=joined.systems,
    )


def _scale(joined: Joined) -> Scale:
    """The criteria's scale; of several criteria with other labels each, the kind alone."""
    scales = [table.scale for table in joined.tables]
    if all(scale == scales[0] for scale in scales):
        return scales[0]
    return scales[0].model_copy(update={"labels": ()})
