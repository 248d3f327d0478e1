"""What a batch service does with a file of requests, by a real server: one result for each, in another order."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


def carry_out(requests: Path, base_url: str) -> list[dict[str, Any]]:
    """The results, last request first, in OpenAI's form."""
    rows = [json.loads(line) for line in requests.read_text(encoding="utf-8").splitlines()]
    results = []
    for number, row in enumerate(rows):
        assert (row["method"], row["url"]) == ("POST", "/v1/chat/completions")
        assert len(row["custom_id"]) <= 64
        status, body = _post(base_url.removesuffix("/v1") + row["url"], row["body"])
        response = {"status_code": status, "request_id": f"r{number}", "body": body}
        results.append({"id": f"b{number}", "custom_id": row["custom_id"], "response": response, "error": None})
    return results[::-1]


def write_rows(path: str | Path, rows: list[dict[str, Any]]) -> str:
    """JSON lines; the path as text."""
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def _post(url: str, body: dict[str, Any]) -> tuple[int, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
