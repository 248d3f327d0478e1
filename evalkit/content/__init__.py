"""Content: suites, judges, reports, candidates and samples, read from plain files with the place of every error."""
