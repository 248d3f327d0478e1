"""What is imported when: the command answers at once because nothing heavy is loaded before it is needed."""

import subprocess
import sys
from pathlib import Path

HEAVY = ("vllm", "torch", "datasets", "pandas", "scipy", "matplotlib")
# scipy.special is light and the intervals need it; scipy.stats costs more to import than a small run takes.
TOO_HEAVY_FOR_A_RUN = ("vllm", "torch", "datasets", "pandas", "scipy.stats", "matplotlib")


def loaded_by(code: str, names: tuple[str, ...], folder: Path) -> list[str]:
    """Which of `names` a fresh interpreter has loaded after running `code`."""
    program = f"import sys\n{code}\nprint('loaded:', *(n for n in {names!r} if n in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stderr.strip().splitlines()[-1].removeprefix("loaded:").split()


def test_importing_evalkit_loads_nothing_heavy(repository: Path) -> None:
    assert loaded_by("import evalkit", HEAVY, repository) == []


def test_the_help_loads_nothing_heavy(repository: Path) -> None:
    show_help = (
        "from evalkit.cli.app import main\n"
        "sys.argv = ['evalkit', '--help']\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code"
    )
    assert loaded_by(show_help, HEAVY, repository) == []


def test_a_run_loads_nothing_that_costs_more_than_a_small_run(repository: Path) -> None:
    assert loaded_by("import evalkit.runner.run", TOO_HEAVY_FOR_A_RUN, repository) == []


def test_a_heavy_import_would_be_seen(repository: Path) -> None:
    assert loaded_by("import scipy.stats", TOO_HEAVY_FOR_A_RUN, repository) == ["scipy.stats"]


def test_the_names_of_the_api_stay_functions_after_their_first_use(repository: Path) -> None:
    # A sub-package of the same name would take the function's place as soon as it is imported.
    code = (
        "import evalkit\n"
        "for name in evalkit.__all__[1:] * 2:\n"
        "    assert callable(getattr(evalkit, name)), f'evalkit.{name} is no function'"
    )
    assert loaded_by(code, ("vllm", "torch"), repository) == []
