"""Say whether a new model is worse anywhere that matters, and whether the judge that says so may be believed.

    import evalkit

    before = evalkit.run("quickstart", "replay:answers.jsonl#v1")
    after = evalkit.run("quickstart", "replay:answers.jsonl#v2")
    print(evalkit.compare(before, after).sentence)

`run`, `calibrate`, `compare`, `load_suite` and `load_run` come from evalkit/runner/api.py, which is imported when one
of them is first asked for: `import evalkit` itself loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalkit.runner.api import calibrate, compare, load_run, load_suite, run

__version__ = "0.1.0"
__all__ = ["__version__", "calibrate", "compare", "load_run", "load_suite", "run"]


def __getattr__(name: str) -> Any:
    """One of the API's functions; AttributeError for any other name."""
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module 'evalkit' has no attribute {name!r}")
    return getattr(import_module("evalkit.runner.api"), name)
