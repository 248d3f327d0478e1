"""Read the files that a calibration names. The only file here that opens anything."""

from pathlib import Path

from evalkit.calibration.rows import Inputs, Row, Source
from evalkit.calibration.spec import CalibrationSpec
from evalkit.core.errors import InputError
from evalkit.store.labels import RecordedLabel, RecordedVerdict, read_items, read_labels, read_verdicts
from evalkit.store.labels_folder import LabelsFolder


def read_inputs(spec: CalibrationSpec, folder: Path | None = None) -> Inputs:
    """Labels, verdicts and items of a spec.

    folder: where relative file names are looked for, and the files a spec does not name (human.jsonl, judge.jsonl,
    items.jsonl; `.gz` too). None = the working directory, and the labels must be named.
    """
    usual = LabelsFolder.find(folder) if folder is not None else None
    labels = _path(spec.labels.file, folder) or (usual.human if usual else None)
    if labels is None:
        raise InputError(
            "no labels were given: name them with --labels FILE, or a folder that holds human.jsonl with --data."
        )
    verdicts = None
    if spec.judgements is not None:
        verdicts = _path(spec.judgements.file, folder) or (usual.judge if usual else None)
        if verdicts is None:
            raise InputError(
                "no verdicts were given: name them with --judgements FILE, or a folder that holds judge.jsonl."
            )
    items = _path(spec.items, folder) or (usual.items if usual else None)
    return Inputs(
        labels=Source(labels, tuple(_label_row(label) for label in read_labels(labels))),
        verdicts=Source(verdicts, tuple(_verdict_row(verdict) for verdict in read_verdicts(verdicts)))
        if verdicts
        else None,
        items={item.item_id: item.fields for item in read_items(items)} if items else None,
        items_file=items,
    )


def _path(name: str | None, folder: Path | None) -> Path | None:
    if name is None:
        return None
    return folder / name if folder is not None else Path(name)


def _label_row(label: RecordedLabel) -> Row:
    named = {
        "item_id": label.item_id,
        "system": label.system,
        "system_b": label.system_b,
        "annotator": label.annotator,
        "criterion": label.criterion,
        "value": label.value,
    }
    return Row(label.line, label.extra | named)


def _verdict_row(verdict: RecordedVerdict) -> Row:
    named = {
        "item_id": verdict.item_id,
        "system": verdict.system,
        "system_b": verdict.system_b,
        "judge": verdict.judge,
        "prompting": verdict.prompting,
        "order": verdict.order,
        "criterion": verdict.criterion,
        "value": verdict.value,
    }
    return Row(verdict.line, verdict.extra | named)
