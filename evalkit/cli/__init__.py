"""The command line: one file per command, imported when it is called."""

import os

# pydantic looks through everything that is installed for plugins of its own, which takes as long as a small command.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
