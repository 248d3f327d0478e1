"""How languages write decimal and thousands separators: what tells 1,234 from 1.234.

From Unicode CLDR (common/main/*.xml, numbers/symbols), reduced to what decides a reading. A language in which both
habits live (Spanish, by country), or that keeps signs of its own (Arabic, Persian), has no entry: there `.` and `,`
stay undecided.
"""

from dataclasses import dataclass

SPACES = "\u00a0\u202f\u2009\u2007"
"""No-break, narrow, thin and figure space: between digits they group in every language."""


@dataclass(frozen=True)
class Convention:
    """One habit of writing numbers."""

    decimal: str
    groups: str
    """Characters that group digits; includes " " where an ordinary space does."""


_POINT = Convention(".", ",")
_COMMA_POINT = Convention(",", ".")
_COMMA_SPACE = Convention(",", " ")
_SWISS = Convention(".", "'’")

_LANGUAGES: dict[Convention, str] = {
    _POINT: "en zh yue ja ko th he iw hi bn ta te mr gu pa kn ml or as ne si ur sw yo ig ha am om ti so zu my mn ms fil"
    " tl ceb cy ga gd mt qu bo dz es-419 es-mx es-us es-gt es-hn es-ni es-sv es-do es-pr es-pe es-pa",
    _COMMA_POINT: "de nl it pt id jv su tr az da el ro hr sr sl bs mk is vi gl ca eu lb rw"
    " es-es es-ar es-cl es-co es-ec es-py es-uy es-ve es-bo",
    _COMMA_SPACE: "fr ru uk be bg pl cs sk hu fi sv nb nn no et lv lt kk ky hy ka uz tg tt tk sq eo af en-za pt-pt",
    _SWISS: "de-ch de-li it-ch",
}
_BY_LANGUAGE = {language: convention for convention, names in _LANGUAGES.items() for language in names.split()}


def convention_of(language: str | None) -> Convention | None:
    """The habit of a BCP-47 language, or None when it has none or is not known here.

    >>> convention_of("de-AT").decimal, convention_of("de-CH").decimal, convention_of("es"), convention_of("ar-EG")
    (',', '.', None, None)
    """
    parts = (language or "").replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        convention = _BY_LANGUAGE.get("-".join(parts[:length]))
        if convention is not None:
            return convention
    return None
