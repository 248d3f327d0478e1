"""torch and transformers themselves. The only file that imports them for the engine `transformers`.

One batch is under way at a time. Its prompts are padded on the left, so that all rows go on at the same column; every
row draws by its own sampling and seed, so what stands beside a request does not decide its draw.
"""

import gc
import math
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from evalkit.engines.decoding import DecodeAsk, Decoded


@dataclass
class _Row:
    """A request in the batch that is under way."""

    request_id: str
    ask: DecodeAsk
    generator: Any
    began_at_s: float
    tokens: list[int] = field(default_factory=list)
    first_token_at_s: float = 0.0
    label_logprobs: dict[str, float] | None = None
    is_done: bool = False


class TransformersWorker:
    """A model with its tokenizer, and the batch that is under way. Belongs to one thread."""

    def __init__(
        self,
        model: str,
        *,
        revision: str | None,
        dtype: str,
        device: str | None,
        threads: int | None,
        batch_size: int,
        trust_remote_code: bool,
    ):
        """Load the model; raises what transformers raises. model: a folder or hub id. dtype: "auto" = as saved."""
        if threads is not None:
            torch.set_num_threads(threads)
        options: dict[str, Any] = {"revision": revision, "trust_remote_code": trust_remote_code}
        self._device = torch.device(device or _best_device())
        self.tokenizer: Any = AutoTokenizer.from_pretrained(model, **options)
        loaded = AutoModelForCausalLM.from_pretrained(model, dtype=dtype, use_safetensors=True, **options)
        self._model: Any = loaded.to(self._device).eval()
        self.max_model_len: int | None = getattr(self._model.config, "max_position_embeddings", None)
        self._ends_with = _end_tokens(self._model, self.tokenizer)
        self._batch_size = batch_size
        self._waiting: dict[str, DecodeAsk] = {}
        self._rows: list[_Row] = []
        self._cache: Any = None
        self._mask: Any = None

    def add(self, request_id: str, ask: DecodeAsk) -> None:
        """Let a request wait for the next batch."""
        self._waiting[request_id] = ask

    def drop(self, request_id: str) -> None:
        """Forget a request; in a batch, its row goes on unread until the batch ends."""
        self._waiting.pop(request_id, None)
        for row in self._rows:
            if row.request_id == request_id:
                row.is_done = True
        self._end_batch_when_done()

    def is_busy(self) -> bool:
        """Whether anything waits or is under way."""
        return bool(self._waiting or self._rows)

    def step(self) -> list[tuple[str, Decoded]]:
        """One more token for every row of the batch; a new batch where none is under way."""
        with torch.inference_mode():
            logits = self._go_on() if self._rows else self._begin()
        finished = []
        for row, row_logits in zip(self._rows, logits, strict=True):
            if not row.is_done and (decoded := self._draw(row, row_logits)) is not None:
                finished.append((row.request_id, decoded))
        self._end_batch_when_done()
        return finished

    def stop(self) -> None:
        """Give the memory back."""
        self._model = self._cache = self._mask = None
        self._rows, self._waiting = [], {}
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _begin(self) -> Any:
        """Read a new batch's prompts; logits of each row's next token, float32 on the CPU, shape (rows, tokens)."""
        began_at_s = time.monotonic()
        self._rows = [_Row(name, ask, _generator(ask), began_at_s) for name, ask in self._next_batch()]
        width = max(len(row.ask.prompt) for row in self._rows)
        pad = [[0] * (width - len(row.ask.prompt)) for row in self._rows]
        ids = torch.tensor([zeros + row.ask.prompt for zeros, row in zip(pad, self._rows, strict=True)])
        mask = torch.tensor([zeros + [1] * len(row.ask.prompt) for zeros, row in zip(pad, self._rows, strict=True)])
        self._mask = mask.to(self._device)
        # Positions count a row's own tokens, so that padding shifts none.
        positions = (self._mask.cumsum(-1) - 1).clamp(min=0)
        self._cache = None
        return self._forward(ids.to(self._device), positions)

    def _go_on(self) -> Any:
        """Read the token that each row drew last; rows that are done go along with their last one, unread."""
        ids = torch.tensor([[row.tokens[-1]] if row.tokens else [0] for row in self._rows], device=self._device)
        self._mask = torch.cat([self._mask, torch.ones_like(self._mask[:, :1])], dim=-1)
        return self._forward(ids, self._mask.sum(-1, keepdim=True) - 1)

    def _forward(self, ids: Any, positions: Any) -> Any:
        output = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache = output.past_key_values
        return output.logits[:, -1].float().cpu()

    def _next_batch(self) -> list[tuple[str, DecodeAsk]]:
        """The request that waits longest, with those nearest to it in length, so that little is padded."""
        oldest = next(iter(self._waiting))
        by_length = sorted(self._waiting.items(), key=lambda item: len(item[1].prompt))
        place = next(place for place, (name, _) in enumerate(by_length) if name == oldest)
        start = max(0, min(place - self._batch_size // 2, len(by_length) - self._batch_size))
        batch = by_length[start : start + self._batch_size]
        for name, _ in batch:
            del self._waiting[name]
        return batch

    def _draw(self, row: _Row, logits: Any) -> Decoded | None:
        """Draw the row's next token; the answer, when that ended it."""
        if row.ask.label_of:
            logprobs = torch.log_softmax(logits, dim=-1)
            of_labels = {label: float(logprobs[token]) for token, label in row.ask.label_of.items()}
            row.label_logprobs = {label: logprob for label, logprob in of_labels.items() if logprob > -math.inf}
            held = torch.full_like(logits, -math.inf)
            tokens = list(row.ask.label_of)
            held[tokens] = logits[tokens]
            logits = held
        row.tokens.append(draw(logits, row.ask, row.generator))
        row.first_token_at_s = row.first_token_at_s or time.monotonic()
        return self._ended(row)

    def _ended(self, row: _Row) -> Decoded | None:
        last, ask = row.tokens[-1], row.ask
        if ask.label_of:
            return self._finish(row, ask.label_of[last], "stop")
        if last in self._ends_with:
            return self._finish(row, self._text(row), "stop")
        if ask.stop:
            text = self._text(row)
            found = [(text.find(stop), stop) for stop in ask.stop if stop in text]
            if found:
                position, stop = min(found)
                return self._finish(row, text[:position], "stop", stop)
        if len(row.tokens) >= ask.max_tokens:
            return self._finish(row, self._text(row), "length")
        return None

    def _finish(self, row: _Row, text: str, finish_reason: str, stop_reason: str | None = None) -> Decoded:
        row.is_done = True
        return Decoded(
            text=text,
            output_tokens=len(row.tokens),
            finish_reason=finish_reason,
            stop_reason=stop_reason,
            label_logprobs=row.label_logprobs,
            began_at_s=row.began_at_s,
            first_token_at_s=row.first_token_at_s,
            ended_at_s=time.monotonic(),
        )

    def _text(self, row: _Row) -> str:
        text: str = self.tokenizer.decode(row.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _end_batch_when_done(self) -> None:
        if all(row.is_done for row in self._rows):
            self._rows, self._cache, self._mask = [], None, None


def draw(logits: Any, ask: DecodeAsk, generator: Any) -> int:
    """The next token: the likeliest at temperature 0, else drawn from the fewest tokens that hold `top_p` of the mass.

    logits: shape (tokens,), float32.
    """
    if ask.temperature == 0:
        return int(logits.argmax())
    probabilities = torch.softmax(logits / ask.temperature, dim=-1)
    if ask.top_p < 1:
        ordered, tokens = probabilities.sort(descending=True)
        # A token stays when what is likelier than it does not hold the mass yet: the likeliest always stays.
        ordered[ordered.cumsum(-1) - ordered >= ask.top_p] = 0
        return int(tokens[torch.multinomial(ordered, 1, generator=generator)])
    return int(torch.multinomial(probabilities, 1, generator=generator))


def _generator(ask: DecodeAsk) -> Any:
    generator = torch.Generator()
    if ask.seed is None:
        generator.seed()
    else:
        generator.manual_seed(ask.seed)
    return generator


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer: those of the generation config, and the tokenizer's own."""
    configured = model.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in (*listed, tokenizer.eos_token_id) if token is not None)
