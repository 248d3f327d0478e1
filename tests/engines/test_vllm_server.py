"""vLLM's own OpenAI-compatible server, over loopback: the same model as in-process, the same greedy answers."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from evalkit.cli.app import run_command
from evalkit.content.locate import shipped_folder
from tests.engines_here import needs_vllm

pytestmark = [pytest.mark.slow, needs_vllm]

MODEL = shipped_folder("suites") / "demo/models/v1"
SUITE = f"""\
name: asked
tasks:
  - name: questions
    data: {{file: {shipped_folder("suites") / "demo/questions.jsonl"}}}
    sampling: {{temperature: 0, max_tokens: 48}}
    scorers: [exact, output_tokens]
  - name: requests
    data: {{file: {shipped_folder("suites") / "demo/requests.jsonl"}}}
    sampling: {{temperature: 0, max_tokens: 48}}
    scorers: [exact]
"""
START_WITHIN_S = 240


@contextmanager
def vllm_server(model: Path, name: str) -> Iterator[str]:
    """The server's base URL; the server is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model), "--served-model-name", name,
        "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--max-model-len", "2048", "--enforce-eager",
        "--block-size", "32",
    ]  # fmt: skip
    environment = {
        "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR",
    }  # fmt: skip
    # Into a file: a pipe that nobody reads would fill with the server's log, and stop it.
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=printed, stderr=subprocess.STDOUT)
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/health", process, printed)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_until_up(url: str, process: subprocess.Popen[bytes], printed: IO[bytes]) -> None:
    for _ in range(START_WITHIN_S * 2):
        if process.poll() is not None:
            printed.seek(0)
            pytest.fail(f"vLLM's server ended: {printed.read().decode()[-2000:]}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"vLLM's server was not up within {START_WITHIN_S} s")


def answers(run_id: str) -> dict[tuple[str, str], str]:
    lines = Path(f"runs/{run_id}/responses.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert not [row for row in rows if row.get("failure")]
    return {(row["key"]["task"], row["key"]["sample_id"]): row["text"] for row in rows}


@pytest.mark.timeout(600)
def test_the_same_greedy_answers_in_process_and_over_http(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "asked").mkdir()
    (tmp_path / "asked/suite.yaml").write_text(SUITE, encoding="utf-8")
    (tmp_path / "v1.yaml").write_text(f"name: v1\nengine: vllm\nmodel: {MODEL}\ndtype: float32\n", encoding="utf-8")
    assert run_command("run", ["asked", "--candidate", "v1.yaml", "--run-id", "inside"]) == 0
    with vllm_server(MODEL, "v1") as base_url:
        assert run_command("run", ["asked", "--candidate", f"openai:v1@{base_url}", "--run-id", "http"]) == 0
    inside, over_http = answers("inside"), answers("http")
    assert len(inside) == len(over_http) == 2160
    differing = {key: (text, over_http[key]) for key, text in inside.items() if text != over_http[key]}
    assert not differing
