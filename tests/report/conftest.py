from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def templates(repository: Path) -> Path:
    """Where the page's templates lie."""
    return repository / "reports"


@pytest.fixture(scope="session")
def golden(repository: Path) -> Path:
    """Where golden files lie."""
    return repository / "tests" / "golden"
