"""Engines: one async verb each. The runner asks `plugins.py` for them by name."""
