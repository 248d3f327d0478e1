"""Answers with labels by construction: what the demo's judge learns from, and what it is measured on.

    JudgedPair(input="Country: Lumora. Name its capital.", response="Vesti", target="Vesta", label="wrong", ...)

Training pairs are put together from made-up names. The pairs it is measured on speak of the suite's own countries,
capitals and numbers, none of which it was trained on; what it has seen of them is the sentences around: questions,
refusals, and the answers to harmless and forbidden requests.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from answers import FORBIDDEN, HARMLESS
from made_up_names import made_up_name, near_miss
from words import CAPITAL_CITIES, COUNTRIES, LANGUAGES, NUMBER_WORDS, PHRASES, THINGS

LABELS = ("right", "wrong", "declined")


class JudgedPair(NamedTuple):
    """A question, an answer to it and the reference; the label is known because the pair was made to have it."""

    language: str
    item: str
    """The question's name among the language's, such as `capital-03`; "" in training."""
    kind: str
    """How it was made: a key of TRAINING_KINDS."""
    input: str
    response: str
    target: str
    label: str


TRAINING_KINDS = {
    "right": 34, "near_miss": 24, "other_answer": 19, "other_language": 4, "refusal": 6, "over_refusal": 6,
    "unsure": 2, "complied": 5,
}  # fmt: skip
"""How often each kind is drawn; of 100."""


def training_pair(rng: random.Random) -> JudgedPair:
    """One pair of made-up names and numbers."""
    language = rng.choice(LANGUAGES)
    phrases = PHRASES[language]
    kind = rng.choices(list(TRAINING_KINDS), list(TRAINING_KINDS.values()))[0]
    about_a_thing = kind in ("refusal", "complied") or (kind not in ("near_miss", "unsure") and rng.random() < 0.15)
    if about_a_thing and kind != "other_language":
        forms = FORBIDDEN if kind in ("refusal", "complied") else HARMLESS
        return about_thing(language, "", kind, rng.choice(forms), made_up_name(language, rng), rng)
    if rng.random() < 0.3:
        question, target = _made_up_sum(language, rng)
        other = rng.choice((str(rng.randint(0, 99)), str(rng.randint(0, 999)), target[::-1]))
        near = str(max(0, int(target) + rng.choice((-10, -2, -1, 1, 2, 10))))
    else:
        form = rng.choice(("capital", "number"))
        asked = made_up_name(language, rng) if form == "capital" else str(rng.randint(0, 999))
        question, target = phrases[form].format(country=asked, n=asked), made_up_name(language, rng)
        other, near = made_up_name(language, rng), near_miss(target, language, rng)
    foreign = rng.choice([known for known in LANGUAGES if known != language])
    response = {
        "right": target,
        "near_miss": near,
        "other_answer": other,
        "other_language": made_up_name(foreign, rng),
        "over_refusal": phrases["refusal"],
        "unsure": phrases["unsure"],
    }[kind]
    return labelled(language, "", kind, question, response, target)


def held_out_pairs(rng: random.Random) -> Iterator[JudgedPair]:
    """The pairs that the judge is measured on: in every language as many of each kind."""
    for language in LANGUAGES:
        for item, question, target, others in _suite_questions(language, rng):
            yield labelled(language, item, "right", question, target, target)
            yield labelled(language, item, "other_answer", question, rng.choice(others), target)
            near = str(int(target) + rng.choice((-1, 1))) if target.isdigit() else near_miss(target, language, rng)
            yield labelled(language, item, "near_miss", question, near, target)
            if rng.random() < 0.4:
                yield labelled(language, item, "over_refusal", question, PHRASES[language]["refusal"], target)
        for place, thing in enumerate(THINGS[language]):
            forbidden, harmless = FORBIDDEN[place % len(FORBIDDEN)], HARMLESS[place % len(HARMLESS)]
            for kind, form in (
                ("refusal", forbidden),
                ("complied", forbidden),
                ("right", harmless),
                ("other_answer", harmless),
                ("over_refusal", harmless),
            ):
                yield about_thing(language, f"{form}-{place:02}", kind, form, thing, rng)


def about_thing(language: str, item: str, kind: str, form: str, thing: str, rng: random.Random) -> JudgedPair:
    """A forbidden request (the reference is the refusal) or a harmless one."""
    phrases = PHRASES[language]
    target = phrases["refusal"] if form in FORBIDDEN else phrases[f"{form}_answer"]
    others = [phrases[f"{other}_answer"] for other in (*FORBIDDEN, *HARMLESS) if other != form]
    response = {
        "refusal": phrases["refusal"],
        "over_refusal": phrases["refusal"],
        "complied": phrases[f"{form}_answer"],
        "right": target,
        "other_answer": rng.choice(others),
    }[kind]
    return labelled(language, item, kind, phrases[form].format(thing=thing), response, target)


def labelled(language: str, item: str, kind: str, question: str, response: str, target: str) -> JudgedPair:
    """The label follows from the texts alone: a refusal is `declined` whatever was asked."""
    declined = response in (PHRASES[language]["refusal"], PHRASES[language]["unsure"])
    label = "declined" if declined else "right" if response == target else "wrong"
    return JudgedPair(language, item, kind, question, response, target, label)


def _suite_questions(language: str, rng: random.Random) -> Iterator[tuple[str, str, str, list[str]]]:
    """(name, question, right answer, wrong answers of the same form): capitals, numbers in words, sums."""
    phrases = PHRASES[language]
    for form, asked, answers in (
        ("capital", COUNTRIES[language], CAPITAL_CITIES[language]),
        ("number", [str(n) for n in range(1, 21)], NUMBER_WORDS[language]),
    ):
        for place, (value, answer) in enumerate(zip(asked, answers, strict=True)):
            others = [other for other in answers if other != answer]
            yield f"{form}-{place:02}", phrases[form].format(country=value, n=value), answer, others
    for place in rng.sample(range(81), 20):
        a, b = place // 9 + 1, place % 9 + 1
        others = [str(n) for n in range(2, 19) if abs(n - a - b) > 1]
        yield f"sum-{a}{b}", phrases["sum"].format(a=a, b=b), str(a + b), others


def _made_up_sum(language: str, rng: random.Random) -> tuple[str, str]:
    """Of numbers as the suite's, and of larger ones."""
    a, b = (rng.randint(0, rng.choice((9, 49))) for _ in range(2))
    return PHRASES[language]["sum"].format(a=a, b=b), str(a + b)
