"""What all tests share: where the repository is, and where recorded data lies."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.checkpoints import make_checkpoint, require

# A busy machine is slow, not wrong: how long an example takes decides nothing. In continuous integration the examples
# are the same each time, so that a change is judged by what it changed; at a desk they are new ones, and find things.
settings.register_profile(
    "evalkit",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    print_blob=True,
)
settings.load_profile("evalkit")

# No test reads or writes the answers that whoever runs it keeps; what tests the cache names a folder of its own.
os.environ["EVALKIT_CACHE"] = "off"

# A job in the background is started with Ctrl-C ignored, and so would be the runs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parent.parent
RECORDED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the clone."""
    return REPOSITORY


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder of recorded data sets; a test that asks for it skips, and says so, where there is none."""
    if not RECORDED_DATA.is_dir():
        pytest.skip(f"recorded data is not at {RECORDED_DATA}")
    return RECORDED_DATA


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model on disk; a test that asks for it skips, and says so, without torch and transformers."""
    require("torch", "transformers", "tokenizers")
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny")
