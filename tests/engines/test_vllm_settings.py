"""What vLLM is told and what it says, as plain data: no vLLM is needed."""

import asyncio
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.request import AnswerForm, Key, Request, Sampling
from evalkit.engines import vllm_settings
from evalkit.engines.arguments import read_arguments
from evalkit.engines.base import EngineContext
from evalkit.engines.checkpoint import Checkpoint
from evalkit.engines.transformers import TransformersEngine
from evalkit.engines.vllm import VllmEngine
from evalkit.engines.vllm_arguments import VllmArguments
from evalkit.engines.vllm_faults import lacks_avx2, start_error, untested_warning
from evalkit.engines.vllm_sampling import vllm_ask
from evalkit.engines.vllm_settings import Installed, engine_settings, set_environment
from tests.engines.test_checkpoint import write_model

CANDIDATE = Candidate(name="c", engine="vllm", model="m")
SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=9, seed=3, stop=("END",))


def request(form: AnswerForm) -> Request:
    key = Key(task="t", sample_id="s")
    return Request(key=key, messages=(Message(role="user", content="?"),), sampling=SAMPLING, answer_form=form)


def test_a_free_answer_is_sampled_as_the_request_says() -> None:
    ask = vllm_ask(request(AnswerForm()), [1, 2], None)
    assert ask.sampling == {"temperature": 0.5, "top_p": 0.9, "max_tokens": 9, "seed": 3, "stop": ["END"]}


def test_labels_are_one_step_over_their_first_tokens_and_keep_the_seed() -> None:
    ask = vllm_ask(request(AnswerForm(kind="labels", labels=("a", "b"))), [1], {"a": 7, "b": 9})
    held = {"max_tokens": 1, "allowed_token_ids": [7, 9], "logprob_token_ids": [7, 9]}
    assert ask.sampling == {"temperature": 0.5, "top_p": 0.9, "seed": 3} | held
    assert ask.label_of == {7: "a", 9: "b"}


def test_labels_that_begin_alike_and_schemas_are_structured_outputs() -> None:
    ask = vllm_ask(request(AnswerForm(kind="labels", labels=("a", "a b"))), [1], None)
    assert ask.sampling["structured_outputs"] == {"choice": ["a", "a b"]}
    form = AnswerForm(kind="json_schema", json_schema={"type": "object"})
    assert vllm_ask(request(form), [1], None).sampling["structured_outputs"] == {"json": {"type": "object"}}


def test_what_is_not_said_is_left_to_vllm(tmp_path: Path) -> None:
    checkpoint = Checkpoint("m", tmp_path)
    on_cpu, on_gpu = (
        engine_settings(CANDIDATE, VllmArguments(), build, checkpoint, tokenizer=None, lora=None)
        for build in ("cpu", "cuda")
    )
    assert (on_cpu["enforce_eager"], on_cpu["block_size"]) == (True, 32)
    assert not {"enforce_eager", "block_size", "max_model_len", "seed", "enable_lora"} & on_gpu.keys()
    assert (on_gpu["model"], on_gpu["dtype"]) == (str(tmp_path), "auto")


def test_what_the_user_has_set_stays_and_what_an_earlier_engine_has_set_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OMP_NUM_THREADS", "VLLM_ENABLE_V1_MULTIPROCESSING", "TORCH_COMPILE_DISABLE", "VLLM_NO_USAGE_STATS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "INFO")
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "0")
    monkeypatch.setattr(vllm_settings, "_set_here", {})
    monkeypatch.setattr(os, "environ", os.environ.copy())
    set_environment(VllmArguments(), "cpu")
    set_environment(VllmArguments(cpu_threads=4), "cpu")
    assert os.environ["OMP_NUM_THREADS"] == "4"
    assert os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    assert (os.environ["VLLM_LOGGING_LEVEL"], os.environ["VLLM_CPU_OMP_THREADS_BIND"]) == ("INFO", "0")


def test_an_unknown_argument_is_refused_with_the_nearest_known() -> None:
    candidate = CANDIDATE.model_copy(update={"engine_args": {"max_model_length": 9}})
    with pytest.raises(InputError, match=r'"max_model_length" is not known\. Did you mean "max_model_len"'):
        read_arguments(candidate, VllmArguments)


@pytest.mark.parametrize("engine", [VllmEngine, TransformersEngine])
def test_what_is_for_a_server_is_refused(engine: type[VllmEngine] | type[TransformersEngine]) -> None:
    with pytest.raises(InputError, match="extra_body is for a server"):
        engine(CANDIDATE.model_copy(update={"extra_body": {"top_k": 1}}), EngineContext())


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed")
def test_without_vllm_the_start_says_what_to_install(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    engine = VllmEngine(CANDIDATE.model_copy(update={"model": str(model)}), EngineContext())
    with pytest.raises(InputError, match=r"pip install '\.\[cpu\]'; with one: pip install '\.\[vllm\]'.*transformers"):
        asyncio.run(engine.start())
    asyncio.run(engine.close())


def test_a_processor_without_avx2_is_known_by_what_it_says(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu sse2 avx\n")
    assert lacks_avx2("x86_64", cpuinfo)
    assert not lacks_avx2("aarch64", cpuinfo)
    assert not lacks_avx2("x86_64", tmp_path / "nothing")
    cpuinfo.write_text("flags\t\t: fpu sse2 avx avx2\n")
    assert not lacks_avx2("x86_64", cpuinfo)


def test_an_untested_version_is_a_warning_and_a_tested_one_none() -> None:
    assert untested_warning(Installed("cpu", "0.32.0")) == ()
    [warning] = untested_warning(Installed("cpu", "0.99.0"))
    assert warning == "evalkit was not tested with vLLM 0.99.0 (CPU build); it was with 0.32.0."


def test_a_cause_in_another_process_is_found_in_what_it_printed() -> None:
    printed = "INFO loading\n(EngineCore pid=7) ERROR ValueError: No available memory for the cache blocks.\nmore\n"
    error = RuntimeError("Engine core initialization failed. See root cause above. Failed core proc(s): {}")
    said = str(start_error(CANDIDATE, error, printed))
    assert said.startswith('candidate "c": there is not enough memory for the KV cache. Lower')
    assert said.endswith("(vLLM: ValueError: No available memory for the cache blocks.)")
