"""What evalkit costs over vLLM itself, and what a shared prefix saves a judge.

    python -m benchmarks.vllm            medians of 5 interleaved rounds, engine start excluded
    python -m benchmarks.vllm --rounds 3

Output tokens per second of a run's generation pass (requests read from its file, answers appended to theirs) against
one bare `vllm.LLM.generate` of the same 2,000 prompts on the same engine. On a processor the model has the shape of the
demo's candidates, on a GPU 1B and 8B parameters; weights are random, so that every answer has its full 16 tokens.
"""

import argparse
import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.rows import Row, interleaved, tell
from evalkit.content.locate import shipped_folder
from evalkit.content.suites import LoadedSuite, load_suite
from evalkit.core.candidate import Candidate
from evalkit.core.judge import JudgeSpec
from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.core.scale import Scale
from evalkit.engines.base import EngineContext
from evalkit.engines.vllm import VllmEngine
from evalkit.runner.answers import iter_questions
from evalkit.runner.generate import GenerationPass
from evalkit.runner.judge import JudgingPass
from evalkit.runner.passes import plan
from evalkit.runner.plan import Filter
from evalkit.runner.progress import Tally
from evalkit.runner.run import RunSettings, prepare_run
from evalkit.scorers.judge import Judge
from evalkit.store.index import DigestIndex
from evalkit.store.records import RecordWriter
from evalkit.store.rundir import RunDirectory

PROMPTS, OUTPUT_TOKENS = 2000, 16
JUDGED = 500
SHAPES: dict[str, dict[str, int]] = {
    "1B": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
           "num_key_value_heads": 8, "head_dim": 64},
    "8B": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 8, "head_dim": 128},
}  # fmt: skip
"""Of Llama 3.2 1B and Llama 3.1 8B, with the demo's small vocabulary."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tell(_rows(Path(folder), rounds))


def _rows(folder: Path, rounds: int) -> Iterator[Row]:
    if has_gpu():
        yield Row("processor: run against bare generate", None, 0.95, "a GPU build is installed")
        yield Row("processor: judge with a shared rubric cached", None, 3, "a GPU build is installed")
        for name, shape in SHAPES.items():
            yield from asyncio.run(_measure(folder, f"GPU {name}", make_shape(folder / name, shape), rounds))
        return
    model = make_shape(folder / "small", {})
    yield from asyncio.run(_measure(folder, "processor", model, rounds))
    for name in SHAPES:
        yield Row(f"GPU {name}: run against bare generate", None, 0.95, "no GPU here")
        yield Row(f"GPU {name}: judge with a shared rubric cached", None, 3, "no GPU here")


def has_gpu() -> bool:
    """Whether NVIDIA's driver is here; vLLM's own answer would need it loaded."""
    return shutil.which("nvidia-smi") is not None


def make_shape(folder: Path, shape: dict[str, int]) -> Path:
    """A checkpoint without weights: the demo's candidate, its layers as `shape` says."""
    shutil.copytree(shipped_folder("suites") / "demo" / "models" / "v1", folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | shape), encoding="utf-8")
    if shape:
        (folder / "model.safetensors").unlink()
    return folder


async def _measure(folder: Path, name: str, model: Path, rounds: int) -> list[Row]:
    cached = Candidate(name="shape", engine="vllm", model=str(model), dtype="bfloat16", engine_args=_arguments())
    uncached = cached.model_copy(update={"engine_args": _arguments() | {"enable_prefix_caching": False}})
    loaded = _suite(folder / name.replace(" ", "-"))
    ratio, rates = await _against_bare(folder, loaded, cached, rounds)
    # One engine at a time: the two sides of the second row cannot take turns.
    with_s, without_s = [await _judge_s(folder, loaded, candidate, rounds) for candidate in (cached, uncached)]
    rate = f"{JUDGED / with_s:.0f} against {JUDGED / without_s:.0f} verdicts/s"
    return [
        Row(f"{name}: run against bare generate", ratio, 0.95, rates),
        Row(f"{name}: judge with a shared rubric cached", without_s / with_s, 3, rate),
    ]


def _arguments() -> dict[str, Any]:
    return {"load_format": "dummy", "max_model_len": 2048}


def _suite(folder: Path) -> LoadedSuite:
    """The first 2,000 questions and requests of the demo, answered at full length."""
    data = shipped_folder("suites") / "demo"
    rows = [
        line
        for name in ("questions.jsonl", "requests.jsonl")
        for line in (data / name).read_text(encoding="utf-8").splitlines()
    ]
    folder.mkdir()
    (folder / "rows.jsonl").write_text("\n".join(rows[:PROMPTS]) + "\n", encoding="utf-8")
    sampling = f"{{temperature: 0, max_tokens: {OUTPUT_TOKENS}}}"
    task = f"{{name: asked, data: rows.jsonl, sampling: {sampling}, scorers: [output_tokens]}}"
    (folder / "suite.yaml").write_text(f"name: asked\ntasks: [{task}]\n", encoding="utf-8")
    return load_suite(folder)


async def _against_bare(folder: Path, loaded: LoadedSuite, candidate: Candidate, rounds: int) -> tuple[float, str]:
    """Tokens per second of the generation pass over those of a bare `generate`; both on one engine, started once."""
    engine = VllmEngine(candidate, EngineContext())
    await engine.start()
    llm: Any = engine._session._worker._llm
    sampling = import_module("vllm").SamplingParams(temperature=0, max_tokens=OUTPUT_TOKENS)
    tokenizer = llm.get_tokenizer()
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in request.messages],
            tokenize=False,
            add_generation_prompt=True,
        )
        for request in _requests(_planned(folder, loaded, candidate))
    ]

    async def ours() -> float:
        directory = _planned(folder, loaded, candidate)
        llm.reset_prefix_cache()
        began = time.perf_counter()
        with GenerationPass(directory, {"asked": ()}, engine, DigestIndex(), Tally("answers", PROMPTS)) as generation:
            await generation.run()
        took_s = time.perf_counter() - began
        lines = directory.responses.read_text(encoding="utf-8").splitlines()
        return sum(json.loads(line)["usage"]["output_tokens"] for line in lines) / took_s

    async def bare() -> float:
        llm.reset_prefix_cache()
        began = time.perf_counter()
        answers = llm.generate(prompts, sampling, use_tqdm=False)
        return sum(len(answer.outputs[0].token_ids) for answer in answers) / (time.perf_counter() - began)

    await ours()
    await bare()
    found = await interleaved([ours, bare], rounds)
    await engine.close()
    return found[0] / found[1], f"{found[0]:.0f} against {found[1]:.0f} tokens/s"


def _planned(folder: Path, loaded: LoadedSuite, candidate: Candidate) -> RunDirectory:
    """A run that is planned and has asked nothing yet."""
    prepared = prepare_run(loaded, candidate, RunSettings(runs=folder / "runs"))
    directory = RunDirectory.create(folder / "runs" / prepared.manifest.run_id, prepared.manifest)
    plan(directory, loaded, Filter(), ())
    return directory


def _requests(directory: RunDirectory) -> list[Request]:
    return [question.request for question in iter_questions(directory)]


RUBRIC = " ".join(
    f"Rule {n}: an answer earns {n % 5 + 1} when it does what rule {n - 1} asks and nothing that rule {n + 1} forbids."
    for n in range(1, 8)
)
"""406 tokens by the demo's tokenizer."""

JUDGE = JudgeSpec(
    name="rules",
    criteria=("rules",),
    scale=Scale.parse("ordinal:1<2<3<4<5"),
    rubric=RUBRIC,
    prompt="{{ rubric }}\n{{ input }}\n{{ response }}",
)


async def _judge_s(folder: Path, loaded: LoadedSuite, candidate: Candidate, rounds: int) -> float:
    """Median seconds of a judging pass over 500 answers: verdicts asked, read and written down."""
    engine = VllmEngine(candidate, EngineContext())
    await engine.start()
    llm: Any = engine._session._worker._llm

    async def judged() -> float:
        directory = _answered(folder, loaded)
        if candidate.engine_args.get("enable_prefix_caching", True):
            llm.reset_prefix_cache()
        began = time.perf_counter()
        judge, tally = Judge(JUDGE, JUDGE.name, "benchmark"), Tally("verdicts", JUDGED)
        with JudgingPass(judge, engine, directory, frozenset({"asked"}), tally) as judging:
            await judging.run()
        took_s = time.perf_counter() - began
        if sum(1 for _ in directory.scores.open(encoding="utf-8")) != JUDGED:
            raise RuntimeError("not every answer was judged")
        return took_s

    await judged()
    (found,) = await interleaved([judged], rounds)
    await engine.close()
    return found


def _answered(folder: Path, loaded: LoadedSuite) -> RunDirectory:
    """A run in which every question was answered with itself."""
    prepared = prepare_run(loaded, Candidate(name="echo", engine="echo"), RunSettings(runs=folder / "runs"))
    directory = RunDirectory.create(folder / "runs" / prepared.manifest.run_id, prepared.manifest)
    plan(directory, loaded, Filter(limit=JUDGED), ())
    with RecordWriter(directory.responses) as writer:
        for request in _requests(directory):
            answer = Response(request_digest=request.digest, key=request.key, text=request.messages[-1].content)
            writer.append(answer)
    return directory


if __name__ == "__main__":
    main()
