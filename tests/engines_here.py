"""Which engines for models are installed here: tests that need one skip without it, and say so."""

from importlib.util import find_spec

import pytest

HAS_VLLM = find_spec("vllm") is not None
HAS_TRANSFORMERS = find_spec("torch") is not None and find_spec("transformers") is not None

needs_vllm = pytest.mark.skipif(not HAS_VLLM, reason="vLLM is not installed (pip install '.[cpu]')")
needs_transformers = pytest.mark.skipif(
    not HAS_TRANSFORMERS, reason="torch and transformers are not installed (pip install '.[transformers]')"
)
