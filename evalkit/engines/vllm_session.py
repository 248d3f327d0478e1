"""vLLM itself. The only file that imports it: loaded when an engine starts, after its environment is set.

VllmWorker      the engine in this process (or with one beside it, as vLLM decides), driven step by step
VllmProcesses   several copies of the model, each in processes of its own: what vLLM's LLM class does not do
"""

import gc
import os
import re
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from itertools import count
from typing import Any

import torch
from vllm import LLM, SamplingParams
from vllm import __version__ as vllm_version
from vllm.distributed.parallel_state import cleanup_dist_env_and_memory
from vllm.engine.arg_utils import AsyncEngineArgs, EngineArgs
from vllm.exceptions import VLLMClientError
from vllm.inputs import tokens_input
from vllm.lora.request import LoRARequest
from vllm.reasoning import ReasoningParserManager
from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

from evalkit.core.errors import unknown_name
from evalkit.engines.request_fault import ENGINE_DIED, PROMPT_TOO_LONG, REFUSED, RequestFault, one_line
from evalkit.engines.vllm_reading import Thought
from evalkit.engines.vllm_sampling import VllmAsk

VERSION: str = vllm_version

_TOO_LONG = re.compile(r"maximum (context|model) length")
_REFUSALS = (VLLMClientError, ValueError, TypeError, NotImplementedError)
"""What vLLM raises for a request that it will not take; the engine goes on."""


def check_names(candidate: str, settings: Mapping[str, Any], reasoning_parser: str | None) -> None:
    """Raise InputError for an engine argument or a reasoning parser that this vLLM does not have."""
    known = [field.name for field in fields(EngineArgs)]
    for name in settings:
        if name not in known:
            hint = f"vLLM {VERSION} has {len(known)} of them."
            raise unknown_name(f'candidate "{candidate}": engine_args.vllm_args: argument', name, known, hint=hint)
    parsers = ReasoningParserManager.list_registered()
    if reasoning_parser is not None and reasoning_parser not in parsers:
        hint = f"vLLM {VERSION} has {', '.join(parsers)}."
        raise unknown_name(
            f'candidate "{candidate}": engine_args.reasoning_parser', reasoning_parser, parsers, hint=hint
        )


class VllmWorker:
    """An LLM and the step loop over it. Belongs to one thread, the one that made it."""

    def __init__(self, settings: Mapping[str, Any], lora: str | None):
        """Load the model; raises what vLLM raises. lora: an adapter's folder."""
        if "OMP_NUM_THREADS" in os.environ:
            # The variable is read when torch is first imported, which may have been for an earlier engine.
            torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        if os.environ.get("TORCH_COMPILE_DISABLE") == "1":
            import_module("torch._dynamo").config.disable = True
        self._llm: Any = LLM(**settings)
        self._engine: Any = self._llm.llm_engine
        self._lora = _lora_request(lora)
        if self._lora is not None:
            self._load_adapter()
        self._parameters = _SamplingParameters()
        self.tokenizer: Any = self._llm.get_tokenizer()
        self.max_model_len: int = self._llm.model_config.max_model_len

    def _load_adapter(self) -> None:
        """Now and not with the first request, which an adapter that does not fit would kill the engine with."""
        try:
            self._engine.add_lora(self._lora)
        except Exception as error:
            self.stop()
            raise ValueError(f"the LoRA adapter does not fit the model: {one_line(error)}") from error

    def add(self, request_id: str, ask: VllmAsk) -> None:
        """Hand a request to vLLM. Raises RequestFault where vLLM refuses it."""
        try:
            parameters = self._parameters(ask)
            self._engine.add_request(request_id, tokens_input(ask.prompt), parameters, lora_request=self._lora)
        except _REFUSALS as error:
            raise _refusal(error) from None

    def drop(self, request_id: str) -> None:
        """Abort a request."""
        self._engine.abort_request([request_id])

    def is_busy(self) -> bool:
        """Whether requests are under way."""
        return bool(self._engine.has_unfinished_requests())

    def step(self) -> list[tuple[str, Any]]:
        """One step of the engine: (request id, RequestOutput) of what is finished."""
        return [(output.request_id, output) for output in self._engine.step() if output.finished]

    def stop(self) -> None:
        """Give model, cache and process groups back, so that another engine can start in this process."""
        engine, llm, self._engine, self._llm = self._engine, self._llm, None, None
        try:
            engine.engine_core.shutdown()
        finally:
            llm.llm_engine = None
            del engine, llm
            gc.collect()
            cleanup_dist_env_and_memory()


class VllmProcesses:
    """vLLM's asynchronous engine. Belongs to one event loop."""

    def __init__(self, settings: Mapping[str, Any], lora: str | None):
        """Nothing is loaded yet. lora: an adapter's folder."""
        self._settings, self._lora, self._ids = settings, _lora_request(lora), count()
        self._parameters = _SamplingParameters()
        self._llm: Any = None
        self.tokenizer: Any = None
        self.max_model_len = 0

    async def start(self) -> None:
        """Load the model; raises what vLLM raises. The event loop waits meanwhile: vLLM binds its sockets to it."""
        self._llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**self._settings))
        if self._lora is not None:
            await self._llm.add_lora(self._lora)
        self.tokenizer = self._llm.get_tokenizer()
        self.max_model_len = self._llm.model_config.max_model_len

    async def answer(self, ask: VllmAsk) -> Any:
        """The finished RequestOutput. Raises RequestFault; vLLM aborts the request of a caller that is cancelled."""
        output = None
        try:
            stream = self._llm.generate(
                tokens_input(ask.prompt),
                self._parameters(ask),
                request_id=str(next(self._ids)),
                lora_request=self._lora,
            )
            async for finished in stream:
                output = finished
        except (EngineDeadError, EngineGenerateError) as error:
            raise RequestFault(ENGINE_DIED, f"the engine died: {one_line(error)}") from None
        except _REFUSALS as error:
            raise _refusal(error) from None
        if output is None:
            raise RequestFault(ENGINE_DIED, "the engine ended before the answer did")
        return output

    async def close(self) -> None:
        """End the processes."""
        if self._llm is not None:
            llm, self._llm = self._llm, None
            llm.shutdown()
            del llm
            gc.collect()


class Thinking:
    """Tells thinking from answer, by one of vLLM's reasoning parsers."""

    def __init__(self, parser: str, tokenizer: Any, template_args: Mapping[str, Any]):
        """parser: its name, checked before. template_args: some models think only when their template says so."""
        self._class: Any = ReasoningParserManager.get_reasoning_parser(parser)
        self._tokenizer, self._template_args = tokenizer, dict(template_args)
        # Parsers are written for vLLM's server, and look at the request that it would have had.
        protocol = import_module("vllm.entrypoints.openai.chat_completion.protocol")
        self._request = protocol.ChatCompletionRequest(messages=[], model="")

    def __call__(self, text: str, token_ids: Any) -> Thought:
        """Thinking, answer, and tokens of thinking (0 = the parser does not count them)."""
        parser = self._class(self._tokenizer, chat_template_kwargs=self._template_args)
        reasoning, answer = parser.extract_reasoning(text, self._request)
        return reasoning, answer, parser.count_reasoning_tokens(list(token_ids))


def _lora_request(folder: str | None) -> Any:
    return None if folder is None else LoRARequest("adapter", 1, folder)


class _SamplingParameters:
    """vLLM's parameters, made once for all requests that sample alike: making them takes vLLM longer than adding the
    request, and it works on a copy of them.
    """

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __call__(self, ask: VllmAsk) -> Any:
        key = repr(ask.sampling)
        if key not in self._made:
            if len(self._made) >= 1000:  # a seed for each request
                self._made.clear()
            self._made[key] = self._make(ask)
        return self._made[key]

    def _make(self, ask: VllmAsk) -> Any:
        sampling = dict(ask.sampling)
        form = sampling.pop("structured_outputs", None)
        if form is not None:
            sampling["structured_outputs"] = StructuredOutputsParams(**form)
        return SamplingParams(output_kind=RequestOutputKind.FINAL_ONLY, **sampling)


def _refusal(error: Exception) -> RequestFault:
    message = f"vLLM refused the request: {one_line(error)}"
    if _TOO_LONG.search(str(error)):
        return RequestFault(PROMPT_TOO_LONG, message, blame="candidate")
    return RequestFault(REFUSED, message)
