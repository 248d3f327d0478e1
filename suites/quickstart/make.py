"""Write the quickstart suite's data: parallel questions in six languages, and the answers of two made-up systems.

    python suites/quickstart/make.py [FOLDER]     writes beside this file, or into FOLDER; always the same bytes

    {"id": "sum-03@es", "input": "¿Cuánto es 41 + 23?", "target": ["64"], "language": "es", "cluster": "sum-03", ...}
    {"item_id": "sum-03@es", "system": "v2", "text": "64.", "usage": {"prompt_tokens": 21, "output_tokens": 2}}

Nothing here comes from a model. `v1` and `v2` are right or wrong by construction, as PLAN says, so that one knows what
a report on them must find: the mean of v2 hides that Arabic lost a third of its right answers, and in Hindi v2 refuses
harmless requests.
"""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from words import CAPITALS, LANGUAGES, PHRASES, THINGS

SEED = 20261120
SUMS, COMPARISONS = 30, 10


class Question(NamedTuple):
    """One question in one language; its wrong answer never contains a right one."""

    id: str
    language: str
    input: str
    target: tuple[str, ...]
    wrong: str

    @property
    def sample_id(self) -> str:
        return f"{self.id}@{self.language}"


class Plan(NamedTuple):
    """How many answers of one system in one language are made to be wrong or refused."""

    wrong_answers: int
    """Of 60 questions."""
    answered_forbidden: int
    """Of 30 forbidden requests."""
    refused_harmless: int
    """Of 30 harmless requests."""


# What a reader of the report must find. Where v1 and v2 have the same number, the same samples are meant.
PLAN: dict[str, dict[str, Plan]] = {
    "v1": {language: Plan(2, 1, 1) for language in LANGUAGES},
    "v2": {
        "en": Plan(2, 1, 1),
        "es": Plan(0, 1, 1),  # a little better
        "ar": Plan(23, 1, 1),  # 35 points of accuracy lost
        "hi": Plan(2, 1, 13),  # refuses 40 points more harmless requests
        "zh": Plan(2, 1, 1),
        "ru": Plan(1, 1, 1),
    },
}


def questions(rng: random.Random) -> Iterator[Question]:
    """60 questions, each in every language: 30 sums, 20 capitals, 10 comparisons."""
    for number in range(SUMS):
        a, b = rng.sample(range(11, 49), 2)
        for language in LANGUAGES:
            text = PHRASES[language]["sum"].format(a=a, b=b)
            yield Question(
                f"sum-{number:02}", language, text, numerals(a + b, language), str(a + b + rng.choice((-1, 1)))
            )
    for number, (names, cities) in enumerate(CAPITALS):
        other = CAPITALS[(number + 7) % len(CAPITALS)][1]
        for place, language in enumerate(LANGUAGES):
            text = PHRASES[language]["capital"].format(country=names[place])
            yield Question(f"capital-{number:02}", language, text, (cities[place],), other[place])
    for number in range(COMPARISONS):
        a, b = rng.sample(range(10, 99), 2)
        for language in LANGUAGES:
            phrases = PHRASES[language]
            right, wrong = ("yes", "no") if a > b else ("no", "yes")
            yield Question(
                f"compare-{number:02}", language, phrases["compare"].format(a=a, b=b), (phrases[right],), phrases[wrong]
            )


def numerals(value: int, language: str) -> tuple[str, ...]:
    """A number as it may be written: European digits, and the language's own where it has them."""
    zero = {"ar": "٠", "hi": "०"}.get(language)
    own = "".join(chr(ord(zero) + int(digit)) for digit in str(value)) if zero else ""
    return (str(value), own) if own else (str(value),)


def requests() -> Iterator[tuple[str, str, str, str, str]]:
    """(id, language, `forbidden` or `harmless`, text, the answer that is given when it is not refused).

    The two kinds alternate, so that a run of the first few samples has both.
    """
    for form in ("1", "2"):
        for number, names in enumerate(THINGS):
            for place, language in enumerate(LANGUAGES):
                thing, phrases = names[place], PHRASES[language]
                for kind in ("forbidden", "harmless"):
                    text, answer = phrases[f"{kind}_{form}"], phrases[f"{kind}_{form}_answer"]
                    yield (
                        f"{kind}-{form}-{number:02}",
                        language,
                        kind,
                        text.format(thing=thing),
                        answer.format(thing=thing),
                    )


def chosen(ids: list[str], count: int, language: str, purpose: str) -> set[str]:
    """The samples that are made to fail. A larger count holds the smaller one's, so that systems differ in few."""
    shuffled = sorted(ids)
    random.Random(f"{SEED}/{purpose}/{language}").shuffle(shuffled)
    return set(shuffled[:count])


def usage(prompt: str, answer: str) -> dict[str, int]:
    """A made-up but plausible count: a token for every three characters."""
    return {"prompt_tokens": 8 + len(prompt) // 3, "output_tokens": 1 + len(answer) // 3}


def answer_rows(asked: list[Question], wanted: list[tuple[str, str, str, str, str]]) -> Iterator[dict[str, Any]]:
    """One row for each sample and system."""
    for system, plans in PLAN.items():
        for language in LANGUAGES:
            plan = plans[language]
            own = [question for question in asked if question.language == language]
            wrong = chosen([question.id for question in own], plan.wrong_answers, language, "answers")
            for number, question in enumerate(own):
                text = question.wrong if question.id in wrong else question.target[-1 if number % 5 == 0 else 0]
                text += PHRASES[language]["stop"] if number % 2 else ""
                yield {
                    "item_id": question.sample_id,
                    "system": system,
                    "text": text,
                    "usage": usage(question.input, text),
                }
            yield from refusal_rows(system, language, plan, [row for row in wanted if row[1] == language])


def refusal_rows(
    system: str, language: str, plan: Plan, own: list[tuple[str, str, str, str, str]]
) -> Iterator[dict[str, Any]]:
    """Refused or answered, as the plan says."""
    forbidden, harmless = ([row[0] for row in own if row[2] == kind] for kind in ("forbidden", "harmless"))
    refused = set(forbidden) - chosen(forbidden, plan.answered_forbidden, language, "forbidden")
    refused |= chosen(harmless, plan.refused_harmless, language, "harmless")
    for request_id, _, _, prompt, answer in own:
        text = PHRASES[language]["refusal"] if request_id in refused else answer
        yield {"item_id": f"{request_id}@{language}", "system": system, "text": text, "usage": usage(prompt, text)}


def write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    """JSON lines, UTF-8."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def main(folder: Path) -> None:
    """Write questions.jsonl, requests.jsonl and answers.jsonl into a folder."""
    asked, wanted = list(questions(random.Random(SEED))), list(requests())
    write(
        folder / "questions.jsonl",
        (
            {"id": q.sample_id, "input": q.input, "target": q.target, "language": q.language, "cluster": q.id,
             "tags": {"form": q.id.partition("-")[0]}}
            for q in asked
        ),
    )  # fmt: skip
    write(
        folder / "requests.jsonl",
        (
            {"id": f"{i}@{language}", "input": text, "language": language, "cluster": i, "tags": {"request": kind}}
            for i, language, kind, text, _ in wanted
        ),
    )
    write(folder / "answers.jsonl", answer_rows(asked, wanted))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
