"""What a model on disk is known by. The files are small ones written here: nothing is loaded."""

import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.engines.base import EngineContext, model_identity
from evalkit.engines.checkpoint import check_weights, find_checkpoint, served_by
from evalkit.engines.transformers import TransformersEngine
from evalkit.engines.vllm import VllmEngine
from evalkit.engines.weights import check_whole

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def safetensors(values: bytes = b"\x01\x02\x03\x04") -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(values)], "data_offsets": [0, len(values)]}}).encode()
    return struct.pack("<Q", len(header)) + header + values


def write_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    (folder / "model.safetensors").write_bytes(safetensors())
    return folder


def write_adapter(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"r": 8}')
    (folder / "adapter_model.safetensors").write_bytes(safetensors(b"abcd"))
    return folder


def candidate(model: Path | str, engine: str = "vllm", **fields: Any) -> Candidate:
    return Candidate(name="c", engine=engine, model=str(model), **fields)


def identity(model: Path | str, *, data: tuple[Path, ...] = (), **fields: Any) -> str:
    made = candidate(model, **fields)
    return model_identity(VllmEngine(made, EngineContext(data)), made)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "models" / "new")


def test_the_same_files_in_another_folder_are_the_same_model(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "elsewhere" / "copy")
    adapters = [write_adapter(tmp_path / name) for name in ("a", "b")]
    templates = [tmp_path / name for name in ("one.jinja", "two.jinja")]
    for template in templates:
        template.write_text("{{ messages[0] }}")
    assert identity(model) == identity(copy) == identity("copy", data=(copy.parent,))
    with_paths = [
        {"lora": str(adapter), "chat_template": str(template), "tokenizer": str(folder)}
        for adapter, template, folder in zip(adapters, templates, (model, copy), strict=True)
    ]
    assert identity(model, engine_args=with_paths[0]) == identity(copy, engine_args=with_paths[1])


def changed(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))  # a change within the clock's grain is a change too


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", safetensors(b"\x01\x02\x03\x05")),
        ("more.safetensors", safetensors()),
        ("config.json", b'{"model_type": "llama", "rope_theta": 2}'),
        ("generation_config.json", b'{"eos_token_id": 2}'),
        ("tokenizer.json", b'{"version": 1}'),
        ("chat_template.jinja", b"{{ messages[1] }}"),
        ("tokenizer_config.json", b'{"chat_template": "{{ messages[1] }}"}'),
    ],
)
def test_one_changed_file_makes_another_model(model: Path, file: str, content: bytes) -> None:
    before = identity(model)
    changed(model / file, content)
    assert identity(model) != before


def test_a_changed_adapter_or_template_makes_another_model(model: Path, tmp_path: Path) -> None:
    adapter, template = write_adapter(tmp_path / "adapter"), tmp_path / "t.jinja"
    template.write_text("{{ messages }}")
    arguments = {"lora": str(adapter), "chat_template": str(template)}
    identities = {identity(model), identity(model, engine_args=arguments)}
    changed(adapter / "adapter_model.safetensors", safetensors(b"abce"))
    identities.add(identity(model, engine_args=arguments))
    template.write_text("{{ messages[0] }}")
    identities.add(identity(model, engine_args=arguments))
    assert len(identities) == 4


def test_arguments_that_change_an_answer_are_part_of_the_identity_and_others_are_not(model: Path) -> None:
    before = identity(model)
    transport = {"concurrency": 3, "gpu_memory_utilization": 0.5, "max_num_seqs": 9, "cpu_threads": 2}
    assert identity(model, engine_args={**transport, "cpu_kv_cache_gib": 0.5, "system": "old"}) == before
    for arguments in ({"quantization": "fp8"}, {"max_model_len": 64}, {"vllm_args": {"rope_scaling": {}}}):
        assert identity(model, engine_args=arguments) != before
    assert identity(model, dtype="float32") != before


def test_a_draft_model_is_known_by_its_weights_too(model: Path, tmp_path: Path) -> None:
    drafts = [write_model(tmp_path / name) for name in ("draft", "moved")]
    config = [{"speculative_config": {"model": str(draft), "num_speculative_tokens": 2}} for draft in drafts]
    first = identity(model, engine_args=config[0])
    assert identity(model, engine_args=config[1]) == first
    changed(drafts[1] / "model.safetensors", safetensors(b"wxyz"))
    assert identity(model, engine_args=config[1]) != first


def test_both_engines_know_a_model_before_they_start_and_tell_no_path(model: Path) -> None:
    for engine in (VllmEngine, TransformersEngine):
        served = engine(candidate(model, engine.name), EngineContext()).served
        assert set(served) == {"weights", "config", "tokenizer", "chat_template"}
        assert not any("/" in value for value in served.values())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "names no `model`"),
        ("nowhere", r'there is no model folder "nowhere" \(looked in .*\)\. Mend `model`, or name its folder'),
        ("/nowhere/at/all", r'there is no model folder "/nowhere/at/all"\. Mend'),
        ("models/nowhere", r'"models/nowhere" is no folder \(looked in .*does not say which revision.*set `revision`'),
    ],
)
def test_a_model_that_is_not_there_is_said_with_where_it_was_looked_for(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        find_checkpoint(candidate(name), ())


def test_a_folder_that_is_no_model_is_said(model: Path) -> None:
    (model / "config.json").unlink()
    with pytest.raises(InputError, match=r"models/new: the folder holds no config\.json"):
        find_checkpoint(candidate(model), ())


def test_pickled_weights_are_refused(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pytorch_model\.bin is pickled.*safetensors only"):
        find_checkpoint(candidate(model), ())
    (model / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match="holds no weights"):
        find_checkpoint(candidate(model), ())
    assert find_checkpoint(candidate(model, engine_args={"load_format": "dummy"}), ()).folder == model


@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_torn_weights_are_said_before_anything_is_loaded(model: Path, kept: int) -> None:
    file = model / "model.safetensors"
    check_whole(file)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"model\.safetensors: the weights are no whole safetensors file"):
        check_weights(model)


def test_weights_that_are_no_safetensors_at_all_are_said(model: Path) -> None:
    (model / "model.safetensors").write_bytes(struct.pack("<Q", 4) + b"[[[[" + b"x" * 50)
    with pytest.raises(InputError, match="its header cannot be read"):
        check_weights(model)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"lora": "nowhere"}, r'no adapter folder "nowhere".*Mend engine_args\.lora'),
        ({"chat_template": "nowhere.jinja"}, r'no chat template "nowhere\.jinja".*Mend engine_args\.chat_template'),
    ],
)
def test_what_an_argument_names_has_to_be_there(model: Path, arguments: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        identity(model, engine_args=arguments)


def test_a_folder_that_is_no_adapter_is_said(model: Path) -> None:
    with pytest.raises(InputError, match=r"adapter_config\.json"):
        identity(model, engine_args={"lora": str(model)})


def test_a_hub_id_is_known_by_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    pinned = find_checkpoint(candidate("org/name", revision=COMMIT), ())
    assert (pinned.folder, pinned.commit, pinned.load_name) == (None, COMMIT, "org/name")
    assert served_by(pinned) == {"commit": COMMIT}
    with pytest.raises(InputError, match="revision main may move"):
        find_checkpoint(candidate("org/name", revision="main"), ())
    reference = tmp_path / "models--org--name" / "refs" / "main"
    reference.parent.mkdir(parents=True)
    reference.write_text("f" * 40)
    assert find_checkpoint(candidate("org/name"), ()).commit == "f" * 40
    assert identity("org/name") != identity("org/name", revision=COMMIT) != identity("org/other", revision=COMMIT)


def test_a_local_folder_goes_before_a_hub_id(model: Path, tmp_path: Path) -> None:
    assert find_checkpoint(candidate("models/new"), (tmp_path,)).folder == tmp_path / "models/new"
