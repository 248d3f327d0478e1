"""Kill a run again and again, go on each time, and see what was asked again, lost, or broken.

    python -m benchmarks.storm                              100 kills of a judged run of 2,000 samples
    python -m benchmarks.storm --kills 10 --samples 300 --seed 7

SIGKILL at random moments, drawn from a seed: most of them counted in requests, so that kills are spread as evenly on a
busy machine as on a quiet one; some in seconds, before a process asks anything and after the last answer. The server's
log says which request was asked again because of which kill: a kill may cost what was in flight, and nothing finished.
"""

import argparse
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from benchmarks.asked import JUDGE, write_candidate, write_suite
from benchmarks.measure import EVALKIT, CommandFailed, environment, measure
from benchmarks.mock_server import LOG_LINE_BYTES, MockServer
from benchmarks.rows import Row, tell
from benchmarks.scored import broken_files, wrong_scores

CONCURRENCY = 16
LATENCY_MS = 50
"""With these two a run lasts long enough for each kill to find something under way."""

BEFORE_ASKING = 0.15
"""Share of the kills that are sent in the first second: imports, planning, reading what is finished."""
STARTING_S, SCORING_S = 1.0, 0.5
"""About as long as a process takes before it asks, and after its last answer."""
DONE_BY = 0.8
"""After this share of the kills everything is to be asked; the rest meets scoring, and a run that is finished."""


@dataclass
class Storm:
    """What came of it."""

    kills: int
    in_flight: int
    """Most requests under way at once."""
    hit: Counter[str] = field(default_factory=Counter)
    """What a killed run was doing: planning, asking, judging, scoring, finished; starting: nothing was asked yet."""
    asked: list[list[str]] = field(default_factory=list)
    """The digests of the requests that came between two kills."""
    wrong: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(map(len, self.asked))

    @property
    def unique(self) -> int:
        return len({digest for between in self.asked for digest in between})

    @property
    def again_by_kill(self) -> list[int]:
        """Of what was asked in the life that a kill ended: how many came again later."""
        later: set[str] = set()
        found = []
        for between in reversed(self.asked):
            found.append(sum(digest in later for digest in between))
            later.update(between)
        return found[:0:-1]

    def rows(self) -> Iterator[Row]:
        """The requirements."""
        again = self.again_by_kill
        hit = ", ".join(f"{what} {count}" for what, count in sorted(self.hit.items()))
        counted = f"kills {self.kills}, requests {self.requests}, unique {self.unique}, asked again {sum(again)}"
        bound = self.kills * self.in_flight
        yield Row("killed: asked again, the worst kill", max(again), at_most=self.in_flight, note=f"hit: {hit}")
        yield Row("killed: asked again in all", self.requests - self.unique, at_most=bound, note=f"{counted}, {bound=}")
        lost = ", ".join(f"{what} {count}" for what, count in sorted(self.wrong.items()))
        yield Row("killed: scores lost, wrong or twice", self.wrong.total(), at_most=0, note=lost)
        yield Row("killed: files that are not whole", len(self.broken), at_most=0, note=", ".join(self.broken[:3]))


def storm(folder: Path, kills: int, samples: int, seed: int, concurrency: int = CONCURRENCY) -> Storm:
    """Kill a judged run so often, then let it end. Raises CommandFailed when it ends with another code than 0."""
    rng = random.Random(seed)
    write_suite(folder, samples, judged=True)
    run, log = folder / "runs" / "killed", folder / "requests.log"
    # The judge answers beside the candidate: each has so many under way.
    outcome = Storm(kills, in_flight=2 * concurrency)
    with MockServer("--latency-ms", str(LATENCY_MS), "--log", str(log)) as server:
        candidate = str(write_candidate(folder / "mock.yaml", server.base_url, concurrency=concurrency))
        options = ["--candidate", candidate, "--judge", f"{JUDGE}={candidate}", "--run-id", run.name, "--resume"]
        command = [*EVALKIT, "run", "suite", *options]
        while outcome.hit.total() < kills:
            left = 2 * samples - outcome.unique
            lives = max(1.0, DONE_BY * kills - outcome.hit.total())
            process = _start(command, folder)
            _wait(process, log, _moment(rng, left, lives, outcome.in_flight), seen=outcome.requests)
            if _killed(process):
                time.sleep(0.05)  # what was sent before the kill is logged
                outcome.asked.append(log.read_text().split()[outcome.requests :])
                outcome.hit[_doing(run, samples, asked=bool(outcome.asked[-1]))] += 1
        measure(command, folder)
    outcome.asked.append(log.read_text().split()[outcome.requests :])
    outcome.wrong = wrong_scores(run, samples, judged=True)
    outcome.broken = broken_files(run)
    return outcome


def _moment(rng: random.Random, left: int, lives: float, in_flight: int) -> tuple[int, float]:
    """When to kill: after so many requests, and so many seconds more.

    left: requests that were never made yet; they are spread over so many lives. What is in flight is lost in each.
    """
    if rng.random() < BEFORE_ASKING:
        return 0, rng.uniform(0, STARTING_S)
    if left == 0:
        return 0, rng.uniform(0, STARTING_S + 2 * SCORING_S)
    requests = rng.randint(1, round(2 * (left / lives + in_flight)))
    if requests < left:
        return requests, rng.uniform(0, 2 * LATENCY_MS / 1000)
    return left, rng.uniform(0, 2 * SCORING_S)


def _wait(process: subprocess.Popen[str], log: Path, moment: tuple[int, float], *, seen: int) -> None:
    """Until that moment, or until the process ends."""
    requests, seconds = moment
    while process.poll() is None and log.stat().st_size < (seen + requests) * LOG_LINE_BYTES:
        time.sleep(0.002)
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)


def _killed(process: subprocess.Popen[str]) -> bool:
    """Kill it; False when it had ended by itself."""
    process.kill()
    _, stderr = process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        raise CommandFailed(f"the run ended with {process.returncode}: {stderr[-2000:]}")
    return process.returncode != 0


def _start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _doing(run: Path, samples: int, *, asked: bool) -> str:
    """What a run was at, by its files. asked: whether the process that was killed had asked anything."""
    file = run / "manifest.json"
    manifest = orjson.loads(file.read_bytes()) if file.is_file() else {"status": "", "counts": {}}
    if "requests" not in manifest["counts"]:
        return "planning"
    if manifest["status"] == "complete":
        return "finished"
    verdicts = sum(map(_lines, run.glob("judging/*/*/responses.jsonl")))
    if verdicts >= samples:
        return "scoring"
    if not asked:
        return "starting"
    return "asking" if _lines(run / "responses.jsonl") < samples else "judging"


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def main() -> None:
    """Kill, go on, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tell(storm(Path(folder), options.kills, options.samples, options.seed).rows())


if __name__ == "__main__":
    main()
