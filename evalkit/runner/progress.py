"""How a pass tells how far it is; the command line shows it, tests and the Python API may ignore it."""

from typing import Protocol


class Progress(Protocol):
    """Told of each pass and each thing done in it."""

    def begin(self, name: str, total: int, done: int = 0) -> None:
        """A pass begins: so many things in all, so many done before."""

    def advance(self, failed: bool = False, output_tokens: int | None = None) -> None:
        """One more thing is done."""

    def end(self) -> None:
        """The pass is over."""

    def say(self, message: str) -> None:
        """Something a reader should know."""


class Silent:
    """Tells nobody."""

    def begin(self, name: str, total: int, done: int = 0) -> None:
        """Nothing."""

    def advance(self, failed: bool = False, output_tokens: int | None = None) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""
