"""A model that transformers runs in this process: slower than vLLM, and there where vLLM is not (macOS, Windows).

    respond(request) -> chat template -> tokens -> one batch at a time, on a thread of its own -> Response

Failures are those of the engine `vllm`, and one more: `answer_form_not_supported`, the system's, for a JSON schema and
for labels whose first tokens do not tell them apart, since nothing here holds a model to a grammar.
"""

import asyncio
import time
from functools import cached_property
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Literal

from pydantic import Field

from evalkit.core.candidate import Candidate
from evalkit.core.errors import EvalkitError, InputError
from evalkit.core.noun import Noun
from evalkit.core.request import Request
from evalkit.core.response import Response, Timing, Usage
from evalkit.engines.arguments import read_arguments
from evalkit.engines.base import EngineContext
from evalkit.engines.captured_output import captured_output
from evalkit.engines.chat_prompt import ChatPrompt, check_has_template, label_tokens
from evalkit.engines.checkpoint import (
    Checkpoint,
    check_weights,
    find_checkpoint,
    find_template,
    folder_template,
    served_by,
)
from evalkit.engines.decoding import DecodeAsk, Decoded
from evalkit.engines.engine_thread import EngineThread
from evalkit.engines.request_fault import ANSWER_FORM_NOT_SUPPORTED, RequestFault, check_length, one_line, ran_out

_SESSION = "evalkit.engines.transformers_session"


class TransformersArguments(Noun):
    """`engine_args` of the engine `transformers`."""

    batch_size: int = Field(default=64, ge=1)
    """how many requests are answered together, from 1"""
    max_model_len: int | None = Field(default=None, ge=2)
    """the most tokens of prompt and answer together; the model's own length by default"""
    device: Literal["cpu", "mps", "cuda"] | None = None
    """where to compute: cpu, mps or cuda; the best that is there by default"""
    threads: int | None = Field(default=None, ge=1)
    """threads that compute on a CPU; as torch decides by default"""
    chat_template: str | None = None
    """a file with the chat template (Jinja) to use; the tokenizer's own by default"""
    trust_remote_code: bool = False
    """whether code that comes with the model may be run"""
    system: str | None = None
    """the name under which labels and recorded verdicts know this candidate's answers; its own name by default"""


class TransformersEngine:
    """Answers with a model that transformers runs here."""

    name = "transformers"
    in_process = True
    transport_arguments = frozenset({"batch_size", "device", "threads", "system"})
    warnings: tuple[str, ...] = ()

    def __init__(self, candidate: Candidate, context: EngineContext):
        self._candidate = candidate
        self._data_folders = context.data_folders
        self._arguments = read_arguments(candidate, TransformersArguments)
        if candidate.extra_body:
            raise InputError(f'candidate "{candidate.name}": extra_body is for a server; take it out')
        self.loading = f"loading {candidate.model} with transformers"
        # One batch is answered while the next one gathers.
        self.concurrency = 2 * self._arguments.batch_size
        self.version = _version()
        self._session: EngineThread[DecodeAsk, Decoded] | None = None
        self._tokenizer: Any = None
        self._max_model_len = 0
        self._prompts: ChatPrompt
        self._started_at_s = 0.0

    @cached_property
    def served(self) -> dict[str, str]:
        """Digests of weights, configuration, tokenizer and chat template; for a hub id its commit."""
        return served_by(self._checkpoint, chat_template=self._chat_template)

    async def start(self) -> None:
        """Load the model. Raises InputError when that cannot be."""
        if find_spec("torch") is None or find_spec("transformers") is None:
            raise InputError(
                f'candidate "{self._candidate.name}": transformers and torch are not installed. Install them: '
                "pip install '.[transformers]'"
            )
        await asyncio.to_thread(self._check_files)
        with captured_output():
            try:
                await self._open()
            except EvalkitError:
                await self.close()
                raise
            except Exception as error:  # noqa: BLE001 - whatever transformers raises, the user is told which model
                await self.close()
                said = one_line(error)
                raise InputError(
                    f'candidate "{self._candidate.name}": transformers could not load the model ({said})'
                ) from None
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
            decoded = await session.answer(ask)
        except RequestFault as fault:
            return fault.response(request)
        return self._read(decoded, ask, request, sent_at_s)

    async def close(self) -> None:
        """End the thread, and give the memory back."""
        session, self._session, self._tokenizer = self._session, None, None
        if session is not None:
            await session.close()

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        return find_checkpoint(self._candidate, self._data_folders)

    @cached_property
    def _chat_template(self) -> str | None:
        named = self._arguments.chat_template
        return None if named is None else find_template(self._candidate, named, self._data_folders)

    def _check_files(self) -> None:
        _ = self.served
        folder = self._checkpoint.folder
        if folder is not None:
            check_weights(folder)
            if self._chat_template is None:
                check_has_template(self._candidate, None, folder_template(folder))

    async def _open(self) -> None:
        arguments, candidate, checkpoint = self._arguments, self._candidate, self._checkpoint

        def make() -> Any:
            worker = import_module(_SESSION).TransformersWorker(
                checkpoint.load_name,
                revision=checkpoint.commit,
                dtype=candidate.dtype or "auto",
                device=arguments.device,
                threads=arguments.threads,
                batch_size=arguments.batch_size,
                trust_remote_code=arguments.trust_remote_code,
            )
            made.append(worker)
            return worker

        made: list[Any] = []
        self._session = EngineThread(make, "transformers")
        await self._session.start()
        worker = made.pop()
        own = worker.max_model_len
        if arguments.max_model_len is not None and own is not None and arguments.max_model_len > own:
            raise InputError(
                f'candidate "{candidate.name}": engine_args.max_model_len is {arguments.max_model_len}, and the model '
                f"was made for {own}. Lower it or leave it out."
            )
        self._tokenizer, self._max_model_len = worker.tokenizer, arguments.max_model_len or own or 2**31

    def _ask(self, request: Request) -> DecodeAsk:
        """Raises RequestFault for a prompt that cannot be rendered or is too long, and a form that nothing enforces."""
        form = request.answer_form
        first_tokens = label_tokens(self._tokenizer, form.labels) if form.kind == "labels" else None
        if form.kind == "json_schema" or (form.kind == "labels" and first_tokens is None):
            what = "a JSON schema" if form.kind == "json_schema" else "labels that begin with the same token"
            message = f"the engine transformers cannot hold a model to {what}; the engine vllm can"
            raise RequestFault(ANSWER_FORM_NOT_SUPPORTED, message)
        prompt = self._prompts.token_ids(request)
        check_length(len(prompt), self._max_model_len)
        sampling = request.sampling
        return DecodeAsk(
            prompt=prompt,
            max_tokens=1 if first_tokens else min(sampling.max_tokens, self._max_model_len - len(prompt)),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed,
            stop=sampling.stop,
            label_of={token: label for label, token in (first_tokens or {}).items()},
        )

    def _read(self, decoded: Decoded, ask: DecodeAsk, request: Request, sent_at_s: float) -> Response:
        is_cut_off = decoded.finish_reason == "length" and not ask.label_of
        n_prompt, n_output = len(ask.prompt), decoded.output_tokens
        return Response(
            request_digest=request.digest,
            key=request.key,
            judge_key=request.judge_key,
            text=decoded.text,
            label_logprobs=decoded.label_logprobs,
            finish_reason="stop" if ask.label_of else decoded.finish_reason,
            stop_reason=decoded.stop_reason,
            usage=Usage(prompt_tokens=n_prompt, cached_tokens=0, output_tokens=n_output),
            timing=Timing(
                scheduled_s=request.send_at_s,
                sent_s=sent_at_s - self._started_at_s,
                queued_s=decoded.began_at_s - sent_at_s,
                ttft_s=decoded.first_token_at_s - sent_at_s,
                e2e_s=decoded.ended_at_s - sent_at_s,
            ),
            failure=ran_out(request, n_prompt, n_output, self._max_model_len) if is_cut_off else None,
        )


def _version() -> str:
    """Of transformers, which decides what is computed; "" = not installed."""
    try:
        return version("transformers")
    except PackageNotFoundError:
        return ""
