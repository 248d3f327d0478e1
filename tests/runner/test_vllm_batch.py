"""Batch files through `vllm run-batch` itself: candidate and judge, and the run that vLLM in this process makes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from evalkit.content.locate import shipped_folder
from tests.engines_here import needs_vllm

pytestmark = [pytest.mark.slow, needs_vllm]

MODEL = shipped_folder("suites") / "demo/models/v1"
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1",
    "TORCH_COMPILE_DISABLE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR",
}  # fmt: skip


def run_batch(requests: str, results: str, dtype: str) -> str:
    """Have vLLM answer a file with the model that it names; the file of results."""
    model = json.loads(Path(requests).read_text(encoding="utf-8").splitlines()[0])["body"]["model"]
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.run_batch", "-i", requests, "-o", results, "--model", model,
        "--generation-config", "vllm", "--dtype", dtype, "--enforce-eager", "--block-size", "32",
    ]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return results


def document(path: str) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))


@pytest.mark.timeout(900)
def test_a_batch_of_vllm_is_the_run_that_vllm_makes_in_this_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("v1.yaml").write_text(f"name: v1\nengine: vllm\nmodel: {MODEL}\ndtype: float32\n", encoding="utf-8")
    asked = ["demo", "--candidate", "v1.yaml", "--limit", "30"]
    assert run_command("run", [*asked, "--run-id", "inside"]) == 0
    assert run_command("requests", ["export", *asked, "--run-id", "batch", "--out", "q.jsonl"]) == 0
    assert run_command("requests", ["import", "batch", run_batch("q.jsonl", "r.jsonl", "float32")]) == 0
    assert run_command("requests", ["export", "--run", "batch", "--judge", "demo", "--out", "j.jsonl"]) == 0
    assert run_command("requests", ["import", "batch", run_batch("j.jsonl", "v.jsonl", "bfloat16")]) == 0
    assert document("runs/batch/summary.json")["metrics"] == document("runs/inside/summary.json")["metrics"]
    one, other = document("runs/batch/manifest.json"), document("runs/inside/manifest.json")
    for name in ("status", "counts", "digests", "served"):
        assert one[name] == other[name], name
    # A prompt that is too long, as vLLM says it.
    assert run_command("requests", ["export", *asked, "--run-id", "long", "--task", "answers", "--out", "l.jsonl"]) == 0
    first, *_ = Path("l.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(first)
    row["body"]["messages"][0]["content"] = "word " * 9000
    Path("too-long.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert run_command("requests", ["import", "long", run_batch("too-long.jsonl", "e.jsonl", "float32")]) == 0
    assert document("runs/long/manifest.json")["counts"]["candidate:prompt_too_long"] == 1
