"""The passes of a run, one file per step: plan, generate, judge, score, summarize; then calibrate and compare."""
