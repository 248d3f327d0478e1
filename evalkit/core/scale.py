"""The scale a verdict or a label stands on."""

from typing import Literal

from pydantic import model_validator

from evalkit.core.noun import Noun


class Scale(Noun):
    """Kind and labels of a scale.

    >>> Scale.parse("ordinal:none<partial<full").labels
    ('none', 'partial', 'full')
    """

    kind: Literal["binary", "nominal", "ordinal", "interval", "preference"]
    labels: tuple[str, ...] = ()
    """In order for an ordinal scale; binary: (negative, positive). Empty for interval; nominal may leave them open."""

    @model_validator(mode="after")
    def _labels_fit_the_kind(self) -> "Scale":
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a scale's labels must differ")
        if self.kind == "ordinal" and len(self.labels) < 2:
            raise ValueError("an ordinal scale names its labels in order, e.g. ordinal:none<partial<full")
        if self.kind == "binary" and len(self.labels) not in (0, 2):
            raise ValueError("a binary scale has two labels, negative first")
        if self.kind == "interval" and self.labels:
            raise ValueError("an interval scale has no labels")
        return self

    @classmethod
    def parse(cls, text: str) -> "Scale":
        """From the command line: `binary`, `binary:no<yes`, `nominal`, `ordinal:a<b<c`, `interval` or `preference`.

        Raises ValueError with the forms that are known.
        """
        kind, _, rest = text.partition(":")
        labels = tuple(label.strip() for label in rest.split("<")) if rest else ()
        if kind == "preference" and not labels:
            labels = ("a", "tie", "b")
        if kind not in ("binary", "nominal", "ordinal", "interval", "preference"):
            raise ValueError(
                f'scale "{text}" is not known: binary[:no<yes], nominal, ordinal:a<b<c, interval or preference'
            )
        return cls(kind=kind, labels=labels)  # type: ignore[arg-type]  # narrowed by the check above

    def __str__(self) -> str:
        """The form `parse` reads."""
        return self.kind + (":" + "<".join(self.labels) if self.labels and self.kind != "preference" else "")
