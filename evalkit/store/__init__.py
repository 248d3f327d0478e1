"""The run directory: plain files that every pass reads, and appends to. Import from the file that defines a name."""
