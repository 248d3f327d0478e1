"""Kill a run again and again, go on each time, and see what was asked again, lost, or broken.

    python -m benchmarks.storm                              100 kills of a judged run of 2,000 samples
    python -m benchmarks.storm --kills 10 --samples 300 --seed 7

SIGKILL at random moments between a process's start and its end; which moments is drawn from the seed, what they hit is
the machine's. The server's log says which request was asked again because of which kill: a kill may cost what was in
flight, and nothing finished.
"""

import argparse
import random
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
from benchmarks.mock_server import MockServer
from benchmarks.rows import Row, tell
from benchmarks.scored import broken_files, wrong_scores

IN_FLIGHT = 16
LATENCY_MS = 50
"""With these two a run lasts long enough for each kill to find something under way."""

BEFORE_ASKING = 0.15
"""Share of the kills that are sent before a process asks anything: imports, planning, reading what is finished."""
DONE_BY = 0.8
"""After this share of the kills everything is to be asked; the rest meets scoring, and a run that is finished."""
SCORING_S = 0.3
"""What follows when nothing is left to ask takes about so long."""


@dataclass
class Storm:
    """What came of it."""

    kills: int
    in_flight: int
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


def storm(folder: Path, kills: int, samples: int, seed: int, in_flight: int = IN_FLIGHT) -> Storm:
    """Kill a judged run so often, then let it end. Raises CommandFailed when it does not end with 0."""
    rng = random.Random(seed)
    write_suite(folder, samples, judged=True)
    start_s, whole_s = _undisturbed(folder, in_flight)
    outcome = Storm(kills, in_flight)
    log = folder / "requests.log"
    with MockServer("--latency-ms", str(LATENCY_MS), "--log", str(log)) as server:
        command = _command(folder, "killed", server, in_flight)
        seen = 0
        while outcome.hit.total() < kills:
            left = 1 - len(set(log.read_text().split())) / (2 * samples)
            lives = max(1.0, DONE_BY * kills - outcome.hit.total())
            if not _live(command, folder, _moment_s(rng, start_s, left * (whole_s - start_s) / lives)):
                continue
            time.sleep(0.05)  # what was sent before the kill is logged
            digests = log.read_text().split()
            outcome.asked.append(digests[seen:])
            doing = _doing(folder / "runs" / "killed", samples)
            asked = len(digests) > seen or doing not in ("asking", "judging")
            outcome.hit[doing if asked else "starting"] += 1
            seen = len(digests)
        measure(command, folder)
    outcome.asked.append(log.read_text().split()[seen:])
    outcome.wrong = wrong_scores(folder / "runs" / "killed", samples, judged=True)
    outcome.broken = broken_files(folder / "runs" / "killed")
    return outcome


def _command(folder: Path, run_id: str, server: MockServer, in_flight: int) -> list[str]:
    candidate = str(write_candidate(folder / f"{run_id}.yaml", server.base_url, concurrency=in_flight))
    options = ["--candidate", candidate, "--judge", f"{JUDGE}={candidate}", "--run-id", run_id, "--resume"]
    return [*EVALKIT, "run", "suite", *options]


def _undisturbed(folder: Path, in_flight: int) -> tuple[float, float]:
    """Seconds until a run asks first, and until it ends."""
    log = folder / "undisturbed.log"
    with MockServer("--latency-ms", str(LATENCY_MS), "--log", str(log)) as server:
        began = time.monotonic()
        process = _start(_command(folder, "undisturbed", server, in_flight), folder)
        while process.poll() is None and not log.stat().st_size:
            time.sleep(0.01)
        start_s = time.monotonic() - began
        _ended_well(process)
    return start_s, time.monotonic() - began


def _moment_s(rng: random.Random, start_s: float, asking_s: float) -> float:
    """When to kill, from the process's start. asking_s: what each life is to get done, that the kills are spread over
    the whole run.
    """
    if rng.random() < BEFORE_ASKING:
        return rng.uniform(0, start_s)
    # Each kill costs about one latency's work more.
    return start_s + rng.uniform(0, 2 * max(asking_s + LATENCY_MS / 1000, SCORING_S / 2))


def _live(command: list[str], folder: Path, moment_s: float) -> bool:
    """Start it and kill it at that moment; False when it had ended before."""
    process = _start(command, folder)
    try:
        process.wait(moment_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return process.returncode != 0
    _ended_well(process)
    return False


def _start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _ended_well(process: subprocess.Popen[str]) -> None:
    _, stderr = process.communicate()
    if process.returncode != 0:
        raise CommandFailed(f"the run ended with {process.returncode}: {stderr[-2000:]}")


def _doing(run: Path, samples: int) -> str:
    """What a run was at, by its files."""
    manifest = run / "manifest.json"
    counts = orjson.loads(manifest.read_bytes()) if manifest.is_file() else {"status": "", "counts": {}}
    if "requests" not in counts["counts"]:
        return "planning"
    if counts["status"] == "complete":
        return "finished"
    if _lines(run / "responses.jsonl") < samples:
        return "asking"
    return "judging" if sum(map(_lines, run.glob("judging/*/*/responses.jsonl"))) < samples else "scoring"


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
