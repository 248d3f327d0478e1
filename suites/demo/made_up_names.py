"""Names that nobody has: syllables of a language's script, drawn at random.

    made_up_name("ru", rng) -> "Гелоса"      made_up_name("zh", rng) -> "枥沁"

A judge that is trained on them has nothing to learn by heart: it has to compare.
"""

import random

_LATIN = tuple(c + v for c in "bcdfghjklmnprstvz" for v in "aeiou")
_KANA = tuple(
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゲゴザジズゼゾダデドバビブベボパピプペポ"
)

SYLLABLES: dict[str, tuple[str, ...]] = {
    "en": (*_LATIN, "th", "sh", "w", "ck", "ford", "ing", "ton", "ee", "oo"),
    "es": (*_LATIN, "ña", "ó", "í", "á", "rr", "lla", "que", "ión", "ez"),
    "de": (*_LATIN, "ö", "ü", "ä", "ß", "sch", "ei", "burg", "ich", "ach"),
    "fr": (*_LATIN, "é", "è", "ç", "ou", "eau", "oi", "ille", "ê", "ux"),
    "tr": (*_LATIN, "ı", "ğ", "ş", "ö", "ü", "ç", "lar", "kara", "yı"),
    "ru": (*tuple(c + v for c in "бвгджзклмнпрстфхцчш" for v in "аеиоуыя"), "ск", "ь", "й", "град"),
    "ar": (*tuple("ابتثجحخدذرزسشصضطعغفقكلمنهوي"), "ال", "ية", "ان", "ون"),
    "hi": tuple(c + v for c in "कखगचजटडतदनपबमयरलवशसह" for v in ("", "ा", "ि", "ी", "ु", "े", "ो")),
    "zh": (),
    "ja": _KANA,
    "ko": (),
    "th": (*tuple(c + v for c in "กขคงจชดตทนบปพมยรลวสห" for v in ("", "า", "ิ", "ี", "ุ", "อ")), "เ", "แ", "โ"),
}
"""Language -> syllables. Chinese and Korean draw a character from the script's own block."""

_BLOCKS = {"zh": (0x4E00, 0x9FA5), "ko": (0xAC00, 0xD7A3)}
_LENGTHS = {"zh": (1, 4), "ko": (1, 4), "ja": (1, 6), "ar": (3, 8), "th": (2, 5)}
_CAPITALISED = ("en", "es", "de", "fr", "tr", "ru")


def syllable(language: str, rng: random.Random) -> str:
    """One syllable, or one character of a script that writes words in few."""
    if language in _BLOCKS:
        return chr(rng.randint(*_BLOCKS[language]))
    return rng.choice(SYLLABLES[language])


def made_up_name(language: str, rng: random.Random) -> str:
    """One or two words."""
    words = ["".join(_word(language, rng)) for _ in range(2 if rng.random() < 0.15 else 1)]
    return ("" if language in ("zh", "ja", "th") else " ").join(words)


def near_miss(name: str, language: str, rng: random.Random) -> str:
    """The name with one syllable changed, left out, doubled or put in; never the name itself."""
    while True:
        place = rng.randrange(len(name))
        new = syllable(language, rng)
        changed = rng.choice(
            (
                name[:place] + new + name[place + len(new) :],
                name[:place] + name[place + 1 :],
                name[:place] + new + name[place:],
                name[:place] + name[place] + name[place:],
            )
        ).strip()
        if changed and changed != name:
            return changed


def _word(language: str, rng: random.Random) -> list[str]:
    parts = [syllable(language, rng) for _ in range(rng.randint(*_LENGTHS.get(language, (2, 4))))]
    if language in _CAPITALISED:
        parts[0] = parts[0].capitalize()
    return parts
