"""Read a written page as a browser would: elements, attributes, ids, text."""

import re
from html.parser import HTMLParser

_VOID = {"meta", "br", "wbr", "hr", "img", "input", "link"}
_DRAWN = {"path", "rect", "circle", "use", "line", "polygon"}


class Page(HTMLParser):
    """A parsed page; raises AssertionError where elements are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.broken: list[bool] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("script", "style"):
            self.words.append(data)
            self.broken.append(self.elements[-1][0] == "wbr" if self.elements else False)

    @property
    def text(self) -> str:
        """All visible text, white space folded."""
        pieces = zip(self.words, self.broken, strict=True)
        return " ".join("".join(words if broken else f" {words}" for words, broken in pieces).split())

    @property
    def ids(self) -> list[str]:
        """Every id, in order."""
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element of one kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def having(self, **wanted: str) -> list[dict[str, str | None]]:
        """Attributes of every element whose class is `class_`, or that has the attributes."""
        wanted = {name.rstrip("_"): value for name, value in wanted.items()}
        return [found for _, found in self.elements if wanted.items() <= found.items()]


def without_figures(text: str) -> str:
    """The page without style, script and drawings: what a person can review in a diff."""
    text = re.sub(r"<style>.*?</style>", "<style></style>", text, flags=re.DOTALL)
    text = re.sub(r"<script>.*?</script>", "<script></script>", text, flags=re.DOTALL)
    text = re.sub(r"'sha256-[^']+'", "'sha256-HASH'", text)
    text = re.sub(r'<svg class="icons".*?</svg>\n', "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg viewBox)="[^"]*"( role="img".*?</desc>).*?</svg>', r"\1\2</svg>", text, flags=re.DOTALL)
    return re.sub(r"\n{2,}", "\n", text)
