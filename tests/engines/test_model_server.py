"""The server that tests use, run by itself as tests of killed runs do."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path


def test_it_runs_by_itself_and_its_log_counts_requests_even_when_it_is_killed(repository: Path, tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    command = [sys.executable, "-m", "tests.servers", "--log", str(log), "--text", "VERDICT: full"]
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
        for _ in range(2):
            request = urllib.request.Request(f"{base_url}/chat/completions", body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=10) as reply:
                assert json.load(reply)["choices"][0]["message"]["content"] == "VERDICT: full"
        process.kill()
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line["last_message"] for line in lines] == ["hi", "hi"]
    assert lines[0]["digest"] == lines[1]["digest"]
