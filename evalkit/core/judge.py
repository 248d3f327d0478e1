"""A judge as data: what it is asked, on which scale, by which method. Binding a model to it makes it act
(scorers/judge.py). The model it names itself is only the one that is bound when nobody names another.
"""

from typing import Literal

from pydantic import Field, model_validator

from evalkit.core.candidate import Candidate
from evalkit.core.digest import digest_of
from evalkit.core.noun import Noun
from evalkit.core.request import Sampling
from evalkit.core.scale import Scale


class RecordedVerdicts(Noun):
    """Verdicts somebody recorded: JSON lines `item_id, system, judge[, prompting][, order], criterion, value[,
    raw]`.
    """

    file: str
    """Beside the judge's YAML, or in a `--data` folder."""
    judge: str
    """The row's `judge`."""
    prompting: str | None = None
    """The row's `prompting`; None = rows without one."""
    order: Literal["ab", "ba"] | None = None
    """The row's `order`; None = rows without one. Orders are never averaged silently."""


class JudgeSpec(Noun):
    """A judge without its model."""

    name: str
    version: int = 1
    description: str = ""
    criteria: tuple[str, ...] = Field(min_length=1)
    method: Literal["verdict", "label_logprobs", "recorded"] = "verdict"
    scale: Scale
    rubric: str = ""
    """What the labels mean; filled into the prompt as `{{ rubric }}`."""
    prompt: str = ""
    """The text itself (the loader reads the file that the YAML names)."""
    order: Literal["single", "swapped"] = "single"
    votes: int = Field(default=1, ge=1)
    """Verdicts per response; the majority counts, a tie is the judge's failure."""
    max_asks: int = Field(default=2, ge=1)
    """How often one verdict is asked for before its absence is the judge's failure."""
    sampling: Sampling = Sampling(max_tokens=512)
    recorded: RecordedVerdicts | None = None
    """For method `recorded`: where the verdicts are."""
    candidate: Candidate | None = None
    """The model that answers unless `--judge` names another; a relative path is looked for beside the judge's YAML."""

    @model_validator(mode="after")
    def _method_has_what_it_needs(self) -> "JudgeSpec":
        if (self.method == "recorded") != (self.recorded is not None):
            raise ValueError("`recorded:` (file, judge) goes with `method: recorded`, and only with it")
        if self.method != "recorded" and not self.prompt:
            raise ValueError("a judge that asks a model needs a `prompt`")
        if self.method != "recorded" and self.scale.kind != "interval" and not self.scale.labels:
            raise ValueError("a judge that asks a model names its scale's labels")
        if self.method == "recorded" and self.candidate is not None:
            raise ValueError("a recorded judge asks no model: take `candidate:` out")
        return self


def asked_judge_digest(spec: JudgeSpec, model_identity: str) -> str:
    """Digest of a judge that asks a model: prompt, rubric, scale, method, order, votes, model, decoding."""
    described = spec.model_dump(mode="json", exclude={"description", "recorded", "candidate"})
    return digest_of({"spec": described, "model": model_identity})


def recorded_judge_digest(file_digest: str, recorded: RecordedVerdicts) -> str:
    """Digest of a recorded judge: its file's bytes and its name there (not where the file lies)."""
    return digest_of({"file": file_digest, "recorded": recorded.model_dump(mode="json", exclude={"file"})})
