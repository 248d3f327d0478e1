"""Scorers: a sample and a response in, a Score out. The runner asks `plugins.py` for them by name."""
