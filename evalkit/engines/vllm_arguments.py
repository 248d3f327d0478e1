"""What `engine_args` may say of a model that vLLM runs in this process.

    engine_args: {max_model_len: 4096, lora: adapters/tone, vllm_args: {max_logprobs: 50}}

The usual arguments have a field of their own; any other one of vLLM's goes into `vllm_args` by vLLM's own name.
"""

from typing import Any

from pydantic import Field

from evalkit.core.noun import Noun


class VllmArguments(Noun):
    """`engine_args` of the engine `vllm`. None = as vLLM decides."""

    max_model_len: int | None = Field(default=None, ge=2)
    """the most tokens of prompt and answer together; the model's own length by default"""
    concurrency: int = Field(default=512, ge=1)
    """how many requests to keep in flight, from 1; vLLM makes its batches of them"""
    tensor_parallel_size: int = Field(default=1, ge=1)
    """over how many devices each layer is spread, from 1"""
    data_parallel_size: int = Field(default=1, ge=1)
    """how many copies of the model answer, each on devices of its own, from 1"""
    pipeline_parallel_size: int = Field(default=1, ge=1)
    """over how many devices the layers are dealt out, from 1"""
    quantization: str | None = None
    """vLLM's name of a quantization, such as fp8; the checkpoint's own by default"""
    kv_cache_dtype: str | None = None
    """vLLM's name of the KV cache's type, such as fp8; the model's by default"""
    load_format: str | None = None
    """vLLM's name of a way to load weights; dummy gives random ones, to measure speed without a model"""
    gpu_memory_utilization: float | None = Field(default=None, gt=0, le=1)
    """the share of a GPU's memory that vLLM may use, up to 1"""
    enable_prefix_caching: bool = True
    """whether prompts that begin alike share what was computed for their beginning"""
    max_num_seqs: int | None = Field(default=None, ge=1)
    """the most requests in one step"""
    max_num_batched_tokens: int | None = Field(default=None, ge=1)
    """the most tokens in one step"""
    enforce_eager: bool | None = None
    """whether to run without compiling; true on a CPU and false on a GPU by default"""
    block_size: int | None = Field(default=None, ge=1)
    """tokens in a block of the KV cache; 32 on a CPU by default, vLLM's own on a GPU"""
    speculative_config: dict[str, Any] | None = None
    """vLLM's settings for speculative decoding, as a mapping"""
    lora: str | None = None
    """the folder of a LoRA adapter (safetensors) to answer with"""
    max_lora_rank: int | None = Field(default=None, ge=1)
    """the largest rank of an adapter; the adapter's own by default"""
    tokenizer: str | None = None
    """a folder or hub id to take the tokenizer from; the model's own by default"""
    chat_template: str | None = None
    """a file with the chat template (Jinja) to use; the tokenizer's own by default"""
    reasoning_parser: str | None = None
    """vLLM's name of a parser that tells thinking from answer, such as deepseek_r1 or qwen3"""
    trust_remote_code: bool = False
    """whether code that comes with the model may be run"""
    seed: int | None = None
    """the seed for requests that bring none; vLLM's is 0"""
    cpu_kv_cache_gib: float = Field(default=1.0, gt=0)
    """GiB of memory for the KV cache on a CPU"""
    cpu_threads: int = Field(default=1, ge=1)
    """threads that compute on a CPU; OMP_NUM_THREADS, where it is set, decides instead"""
    vllm_args: dict[str, Any] = {}
    """any other engine argument of vLLM, by its own name"""
    system: str | None = None
    """the name under which labels and recorded verdicts know this candidate's answers; its own name by default"""


TRANSPORT_ARGUMENTS = frozenset(
    {"concurrency", "gpu_memory_utilization", "max_num_seqs", "cpu_kv_cache_gib", "cpu_threads", "system"}
)
"""Names of arguments that change how fast the model answers, or who it is called, and nothing of what it answers."""
