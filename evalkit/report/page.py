"""Fill a template into one self-contained HTML file. The one file that imports jinja2.

Every value that a template writes is escaped, and its unseen characters are written as codes; a name that does not
exist is an error. The page may run one script, named by its hash, and load nothing: an answer that got past the
escaping could still not phone home.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evalkit.report.agreement import between, statistic_words
from evalkit.report.cards import confusion_rows, failed_rules
from evalkit.report.gates import OUTCOME_WORDS
from evalkit.report.numbers import (
    amount_text,
    count_text,
    difference_text,
    direction,
    interval_text,
    p_text,
    slice_text,
    value_text,
)
from evalkit.report.slices import relative_change
from evalkit.report.text import breakable, visible

STYLE, SCRIPT = "page.css", "page.js"
_FILTERS = {
    "value": value_text,
    "difference": difference_text,
    "interval": interval_text,
    "amount": amount_text,
    "p": p_text,
    "slice": slice_text,
    "statistic": statistic_words,
    "between": between,
    "relative_change": relative_change,
    "confusion_rows": confusion_rows,
    "breakable": breakable,
    "failed_rules": failed_rules,
    "thousands": "{:,}".format,
}


def fill_page(template_folder: Path, template: str, **values: Any) -> str:
    """The whole page as text. Raises jinja2's TemplateNotFound or UndefinedError for a broken template."""
    environment = Environment(
        loader=FileSystemLoader(template_folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters.update(_FILTERS)
    environment.globals.update(
        direction=direction, count_text=count_text, thousands="{:,}".format, outcome_words=OUTCOME_WORDS
    )
    style = (template_folder / STYLE).read_text(encoding="utf-8")
    script = (template_folder / SCRIPT).read_text(encoding="utf-8")
    return environment.get_template(template).render(
        **values, style=Markup(style), script=Markup(script), content_policy=content_policy(script)
    )


def content_policy(script: str) -> str:
    """The page's Content-Security-Policy: nothing is loaded, and no script runs but this one."""
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _shown(value: Any) -> Any:
    """What a template may write: markup of our own as it is, any other text with its unseen characters as codes."""
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
