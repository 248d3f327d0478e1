"""A table's cell that is safe to open: a spreadsheet takes some texts for formulas, and may run what a model wrote."""

import re
from typing import Any

# A cell that begins so is taken for a formula; the wide forms count in some languages. Source: OWASP, "CSV Injection".
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


def safe_cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets a ' before it; numbers and other texts stay.

    >>> safe_cell("=SUM(A1)"), safe_cell("a=b"), safe_cell(-0.5)
    ("'=SUM(A1)", 'a=b', -0.5)
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
