"""Put a streamed answer together.

    data: {"choices": [{"delta": {"content": "Par"}}]}        -> {"choices": [{"message": {"content": "Paris"},
    data: {"choices": [{"delta": {"content": "is"}}]}             "finish_reason": "stop"}], "usage": {...}}
    data: {"choices": [], "usage": {"prompt_tokens": 9}}
    data: [DONE]

What comes out has the form of an answer that was not streamed, so that one reader (http_reply.py) reads both.
"""

from typing import Any

DONE = "[DONE]"


class EventBuffer:
    """Server-sent events out of bytes that may be cut anywhere, within a character too."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> list[str]:
        """The data of the events that are complete now. Comments, names and ids of events say nothing here.

        Each event's data is one line: no server of this kind breaks its JSON. What is not UTF-8 is shown as U+FFFD.
        """
        *lines, self._rest = (self._rest + received).split(b"\n")
        return [line[len(b"data:") :].strip().decode("utf-8", "replace") for line in lines if line.startswith(b"data:")]


class StreamedCompletion:
    """The chunks of one answer, added in their order."""

    def __init__(self) -> None:
        self.finished = False
        """Whether a chunk said why the answer ended: a stream that stops before was cut."""
        self.readable = False
        """Whether any chunk had the form of a piece of an answer."""
        self._top: dict[str, Any] = {}
        self._choice: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        self._logprobs: list[Any] = []

    def add(self, chunk: dict[str, Any]) -> bool:
        """Add a chunk; whether it brought a piece of the answer (text, thought or tool call)."""
        self._top |= {name: chunk[name] for name in ("model", "system_fingerprint", "usage") if chunk.get(name)}
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return False
        choice = choices[0]
        self.readable = self.readable or isinstance(choice.get("delta"), dict)
        self._choice |= {name: choice[name] for name in ("finish_reason", "stop_reason") if choice.get(name)}
        self.finished = "finish_reason" in self._choice
        self._logprobs += (choice.get("logprobs") or {}).get("content") or []
        return self._add_delta(choice.get("delta") or {})

    def completion(self) -> dict[str, Any]:
        """The answer as if it had come whole."""
        message: dict[str, Any] = {name: "".join(pieces) for name, pieces in self._texts.items()}
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        logprobs = {"logprobs": {"content": self._logprobs}} if self._logprobs else {}
        return self._top | {"choices": [self._choice | logprobs | {"message": message}]}

    def _add_delta(self, delta: dict[str, Any]) -> bool:
        brought = False
        for name in ("content", "reasoning_content", "reasoning", "refusal"):
            if delta.get(name) is not None and not isinstance(delta[name], str):
                raise TypeError(f"`{name}` is no text")
            if isinstance(delta.get(name), str):
                self._texts.setdefault(name, []).append(delta[name])
                brought = brought or bool(delta[name])
        for call in delta.get("tool_calls") or []:
            self._add_call(call)
            brought = True
        return brought

    def _add_call(self, piece: dict[str, Any]) -> None:
        """A call's name and id come once; its arguments come in pieces."""
        call = self._calls.setdefault(int(piece.get("index") or 0), {"type": "function", "function": {"arguments": ""}})
        call |= {name: piece[name] for name in ("id", "type") if piece.get(name)}
        function = piece.get("function") or {}
        if function.get("name"):
            call["function"]["name"] = function["name"]
        call["function"]["arguments"] += function.get("arguments") or ""
