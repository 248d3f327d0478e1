r"""Read a judge's reply and find its verdict.

A reply ends in a line such as `VERDICT: 4` or `**Verdict:** "refuses".`, or it is the bare label (an answer that was
constrained to the labels), or JSON with a `verdict`. Reading it gives the label, or the number on an interval scale, or
a Failure with blame="judge" when no verdict on the scale can be found: `no_verdict`, or `not_on_scale`.

The last such line counts: a judge that weighs "VERDICT: none" first and ends otherwise has said how it ends. What the
judge copied in fences, quoted with `>` or thought in `<think>` is not its verdict. Asking the judge: judge.py.
"""

import json
import math
import unicodedata
from functools import lru_cache
from typing import Any

import regex  # type: ignore[import-untyped]  # ships no types

from evalkit.core.failure import Failure
from evalkit.core.scale import Scale
from evalkit.scorers.fence import without_fenced
from evalkit.scorers.normal_form import normal_form, without_punctuation_around
from evalkit.scorers.rule import quoted

_DECORATION = r"""[ \t*_`#"'“”„«»‘’「」【】\[\](){}<|\-–•]*+"""
_LINE = regex.compile(
    rf"^(?!\s*>){_DECORATION}verdict{_DECORATION}\s*[:：=](?:[ \t*_]*\n)?\s*+(?P<said>[^\n]*)$",
    regex.IGNORECASE | regex.MULTILINE,
)
_THOUGHT = regex.compile(r"\A.*</think(?:ing)?>", regex.DOTALL | regex.IGNORECASE)
_CODE_FENCE = regex.compile(r"\A\s*```\w*\s*|\s*```\s*\Z")
# A comma is a decimal one before one or two digits: 3,5. What 1,234 would mean nobody knows.
_NUMBER = regex.compile(r"([+-]?\d+(?:\.\d+|,\d{1,2})?)(?![.,]?\d)(?:\s*(?:/|out of|of)\s*\d+)?")
# What may follow a label in its line: "full (it declines)", "4 - good", "none, since ...".
_REST = regex.compile(r"\s*(?:[(\[{,;:.|–—]|\s-|-\s|because\b|since\b)")
_MINUS = str.maketrans("\u2212\uff0d\u2013", "---")


def read_verdict(text: str, scale: Scale) -> str | float | Failure:
    """A label of the scale, a number on an interval scale, or the judge's failure.

    >>> read_verdict("It helps.\\nVERDICT: Full.", Scale.parse("nominal:none<full"))
    'full'
    >>> read_verdict("４", Scale.parse("ordinal:1<2<3<4<5")), read_verdict("VERDICT：3,5", Scale.parse("interval"))
    ('4', 3.5)
    >>> read_verdict("I cannot judge this.", Scale.parse("binary:no<yes")).kind
    'no_verdict'
    """
    reply = without_fenced(text)
    if "</" in reply:
        reply = _THOUGHT.sub("", reply)
    said = _from_json(reply)
    if said is None:
        lines = _LINE.findall(reply)
        if not lines:
            bare = _on_scale(reply, scale, alone=True)
            return _failure("no_verdict", f"no verdict in {quoted(text)}") if bare is None else bare
        said = lines[-1]
    verdict = _on_scale(said, scale, alone=False)
    return _failure("not_on_scale", f"{quoted(said)} is not on the scale {scale}") if verdict is None else verdict


def _from_json(reply: str) -> str | None:
    """The `verdict` of a reply that is one JSON object, in a code block perhaps."""
    body = (_CODE_FENCE.sub("", reply) if "```" in reply else reply).strip()
    if not body.startswith("{"):
        return None
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name, said in value.items():
        if name.lower() == "verdict" and isinstance(said, str | int | float):
            return str(said).lower() if isinstance(said, bool) else str(said)
    return None


def _on_scale(said: str, scale: Scale, *, alone: bool) -> str | float | None:
    """What was said, as a label or number of the scale; None when it is neither. `alone`: nothing may follow it."""
    if scale.kind == "interval":
        return _as_number(said, alone=alone)
    form = _form(said)
    forms = {label: _label_form(label) for label in scale.labels}
    exact = [label for label, known in forms.items() if known == form]
    if len(exact) > 1:  # labels that differ only in case
        exact = [label for label in exact if said.strip(" \t\n*_`\"'.") == label]
    if len(exact) == 1:
        return exact[0]
    number = _as_number(said, alone=alone)
    if number is not None:
        return next((label for label in scale.labels if _as_number(label, alone=True) == number), None)
    return None if alone else _leading_label(form, forms)


@lru_cache(maxsize=1024)
def _label_form(label: str) -> str:
    return _form(label)


def _form(text: str) -> str:
    """The text in normal form, where a minus at its end stays: A- is another grade than A."""
    whole = normal_form(_plain_digits(text).replace("_", " "), form="NFKC", ignore_punctuation=False)
    core = without_punctuation_around(whole)
    return core + "-" if whole[whole.find(core) + len(core) :].startswith("-") else core


def _leading_label(said: str, forms: dict[str, str]) -> str | None:
    """The label a line begins with, when what follows is a remark that names no other label."""
    starts = [label for label, form in forms.items() if said.startswith(form) and _REST.match(said, len(form))]
    if not starts:
        return None
    label = max(starts, key=lambda start: len(forms[start]))
    rest = said[len(forms[label]) :]
    others = [form for other, form in forms.items() if other != label and form not in forms[label]]
    named = any(regex.search(rf"(?<!\w){regex.escape(form)}(?!\w)", rest) for form in others)
    return None if named else label


def _as_number(said: str, *, alone: bool) -> float | None:
    """`4`, `-1.5`, `3,5`, `٤`, `4/5` (four out of five); with a remark behind it unless it must be alone."""
    plain = normal_form(_plain_digits(said).translate(_MINUS), form="NFKC")
    match = _NUMBER.match(plain)
    if match is None or (match.end() < len(plain) and (alone or not _REST.match(plain, match.end()))):
        return None
    number = float(match[1].replace(",", "."))
    return number if math.isfinite(number) else None


def _plain_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(mark)) if mark.isdecimal() else mark for mark in text)


def _failure(kind: str, message: str) -> Failure:
    return Failure(blame="judge", stage="read", kind=kind, message=message)
