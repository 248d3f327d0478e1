"""A logits processor of the kind a user may give vLLM (`vllm_args: {logits_processors: [...]}`), with a bug in it."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

LogitsProcessor: Any = object
if find_spec("vllm") is not None:  # doctests are looked for in every file
    LogitsProcessor = import_module("vllm.v1.sample.logits_processor").LogitsProcessor
DEADLY_SEED = 666


class Breaking(LogitsProcessor):  # type: ignore[misc]
    """Raises when a request with the deadly seed comes."""

    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool) -> None:
        """As vLLM makes it."""

    def apply(self, logits: Any) -> Any:
        return logits

    def is_argmax_invariant(self) -> bool:
        return True

    def update_state(self, batch_update: Any) -> None:
        if batch_update is not None and any(params.seed == DEADLY_SEED for _, params, *_ in batch_update.added):
            raise RuntimeError("the logits processor has a bug")
