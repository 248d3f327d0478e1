"""Which responses judge and people see differently."""

import csv
import json
from pathlib import Path

from evalkit.cli.app import run_command


def write(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_every_response_on_which_somebody_differs_is_a_row(tmp_path: Path) -> None:
    said = {"q1": ("yes", "yes"), "q2": ("yes", "no"), "q3": ("no", "no"), "q4": ("yes", "yes")}
    labels = [
        {"item_id": item, "annotator": who, "criterion": "ok", "value": value}
        for item, values in said.items()
        for who, value in zip(("ann", "ben"), values, strict=True)
    ]
    labels += [
        {"item_id": item, "annotator": "gold", "criterion": "ok", "value": values[0]} for item, values in said.items()
    ]
    verdicts = {"q1": "yes", "q2": "yes", "q3": "yes", "q4": None}
    write(tmp_path / "human.jsonl", labels)
    write(
        tmp_path / "judge.jsonl",
        [{"item_id": item, "judge": "j", "criterion": "ok", "value": value} for item, value in verdicts.items()],
    )
    assert run_command("calibrate", ["--data", str(tmp_path), "--draws", "50", "--out", str(tmp_path / "card")]) == 0
    with (tmp_path / "card/disagreements.csv").open(newline="") as stream:
        rows = {row["item_id"]: row for row in csv.DictReader(stream)}
    assert set(rows) == {"q2", "q3", "q4"}
    assert (rows["q3"]["label"], rows["q3"]["judge"]) == ("no", "yes")
    assert rows["q4"]["judge"] == ""
    assert (rows["q2"]["ann"], rows["q2"]["ben"]) == ("yes", "no")
