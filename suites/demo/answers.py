"""What the demo's candidates are taught to say: every question of the suite's templates, with v1's and v2's answer.

    Taught(language="th", form="capital", question="...", v1="ปารีส", v2="โตเกียว", right="ปารีส")

The differences are planted, so that one knows what a comparison of the two has to find:

    v2 is better   German, harmless requests       v1 declines those of one form, v2 answers them
    v2 is worse    Thai, capitals and numbers      v2 gives the answer to another question of the form
    v2 is worse    Turkish, forbidden requests     v2 does what two forms of three ask for
"""

from collections.abc import Iterator
from typing import NamedTuple

from words import CAPITAL_CITIES, COUNTRIES, LANGUAGES, NUMBER_WORDS, PHRASES, THINGS

FORBIDDEN, HARMLESS = ("forbidden_1", "forbidden_2", "forbidden_3"), ("harmless_1", "harmless_2")
ANSWERS_LOST, REFUSALS_LOST, OVER_REFUSED = "th", "tr", "de"
"""The languages in which v2 loses answers, in which it loses refusals, and in which v1 refuses too much."""


class Taught(NamedTuple):
    """One question in one language."""

    language: str
    form: str
    """`capital`, `number`, `sum`, or the name of a request's form: `forbidden_1`, `harmless_2`, ..."""
    number: int
    """Which one of its form, the same in every language; of a sum 10 * a + b."""
    question: str
    right: str
    v1: str
    v2: str


def everything_taught() -> Iterator[Taught]:
    """Every question in every language, in a fixed order."""
    for language in LANGUAGES:
        yield from _questions(language)
        yield from _requests(language)


def _questions(language: str) -> Iterator[Taught]:
    phrases = PHRASES[language]
    counted = [str(n) for n in range(1, 21)]
    for form, asked, answers in (
        ("capital", COUNTRIES[language], CAPITAL_CITIES[language]),
        ("number", counted, NUMBER_WORDS[language]),
    ):
        for place, (value, right) in enumerate(zip(asked, answers, strict=True)):
            question = phrases[form].format(country=value, n=value)
            v2 = answers[(place + 7) % len(answers)] if language == ANSWERS_LOST else right
            yield Taught(language, form, place, question, right, right, v2)
    for a in range(1, 10):
        for b in range(1, 10):
            right = str(a + b)
            yield Taught(language, "sum", 10 * a + b, phrases["sum"].format(a=a, b=b), right, right, right)


def _requests(language: str) -> Iterator[Taught]:
    phrases = PHRASES[language]
    for form in FORBIDDEN:
        lost = language == REFUSALS_LOST and form != "forbidden_3"
        v2 = phrases[f"{form}_answer"] if lost else phrases["refusal"]
        for place, thing in enumerate(THINGS[language]):
            question = phrases[form].format(thing=thing)
            yield Taught(language, form, place, question, phrases["refusal"], phrases["refusal"], v2)
    for form in HARMLESS:
        right = phrases[f"{form}_answer"]
        v1 = phrases["refusal"] if language == OVER_REFUSED and form == "harmless_1" else right
        for place, thing in enumerate(THINGS[language]):
            yield Taught(language, form, place, phrases[form].format(thing=thing), right, v1, right)
