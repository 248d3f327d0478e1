"""What every record shares: frozen, strict about unknown fields, no NaN or Infinity."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Noun(BaseModel):
    """A frozen record. A change makes a new record: `sample.model_copy(update={...})`."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )

    def __eq__(self, other: object) -> bool:
        """Equal in type and fields. What is the same object is not looked into: writing compares with defaults."""
        return self is other or super().__eq__(other)

    __hash__ = BaseModel.__hash__

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed copy. What was computed from the old fields (a digest) is not copied: it would be the old one's."""
        copied = super().model_copy(update=update, deep=deep)
        for name in list(copied.__dict__):
            if isinstance(getattr(type(self), name, None), cached_property):
                del copied.__dict__[name]
        return copied
