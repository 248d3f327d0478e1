"""Speed and memory, measured as ratios within one run: `python -m benchmarks.NAME`, or `make bench` for all of them.

Each prints a line per requirement, `name  measured  limit  ok|short|not measured|told`, ends within ten minutes,
and exits with 1 when one falls short. docs/performance.md keeps the tables, with the machines they were measured on.
"""
