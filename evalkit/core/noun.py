"""What every record shares: frozen, strict about unknown fields, no NaN or Infinity."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

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

    _computes: ClassVar[bool] = False
    """Whether beside the fields something is kept that was computed from them (a digest)."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Look once for what is computed."""
        super().__pydantic_init_subclass__(**options)
        cls._computes = any(isinstance(kept, cached_property) for base in cls.__mro__ for kept in vars(base).values())

    def __eq__(self, other: object) -> bool:
        """Equal in type and fields. Writing compares with defaults, so that this is called for every record."""
        if self is other:
            return True
        if type(self) is type(other) and not self._computes:
            return self.__dict__ == other.__dict__
        return super().__eq__(other)

    __hash__ = BaseModel.__hash__

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed copy. What was computed from the old fields (a digest) is not copied: it would be the old one's."""
        copied = super().model_copy(update=update, deep=deep)
        for name in list(copied.__dict__):
            if isinstance(getattr(type(self), name, None), cached_property):
                del copied.__dict__[name]
        return copied
