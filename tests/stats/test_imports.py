import pkgutil
import subprocess
import sys
from pathlib import Path

import evalkit.stats


def test_no_module_of_the_statistics_imports_scipy_stats_or_pandas() -> None:
    names = [f"evalkit.stats.{module.name}" for module in pkgutil.iter_modules(evalkit.stats.__path__)]
    assert "evalkit.stats.paired" in names
    heavy = ("scipy.stats", "pandas", "matplotlib")
    code = f"import sys, {', '.join(names)}; print([name for name in {heavy} if name in sys.modules])"
    root = Path(evalkit.stats.__path__[0]).parents[1]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "[]"
