"""Where the pages' templates lie: beside the reports that ship."""

from pathlib import Path

from evalkit.content.locate import shipped_folder
from evalkit.core.errors import InputError


def template_folder() -> Path:
    """The folder that holds page.html. Raises InputError for an installation that is not whole."""
    folder = shipped_folder("reports")
    if not (folder / "page.html").is_file():
        raise InputError(f"{folder} holds no page.html: the installation is not whole; install evalkit again")
    return folder
