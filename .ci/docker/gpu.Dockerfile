# evalkit beside vLLM on NVIDIA GPUs, on vLLM's own image, whose torch and CUDA are left as they are.
#
#   docker build -f .ci/docker/gpu.Dockerfile -t evalkit:gpu .
#   docker run --rm --gpus all --ipc host -v "$PWD:/work" -v "$HOME/models:/models:ro" \
#     evalkit:gpu release my-suite --baseline vllm:/models/old --candidate vllm:/models/new
FROM vllm/vllm-openai:v0.32.0

SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 VLLM_NO_USAGE_STATS=1

COPY pyproject.toml README.md LICENSE /build/evalkit/
COPY evalkit /build/evalkit/evalkit
COPY suites /build/evalkit/suites
COPY judges /build/evalkit/judges
COPY reports /build/evalkit/reports
# What vLLM pins stays: evalkit's own bounds are wide enough to live beside it.
RUN python3 -m pip freeze | grep -E '^(torch|vllm|transformers|numpy|pydantic)==' > /build/pins.txt \
 && python3 -m pip install -c /build/pins.txt /build/evalkit \
 && rm -rf /build

WORKDIR /work
ENTRYPOINT ["evalkit"]
CMD ["--help"]
