"""The nouns of an evaluation: frozen records, no I/O. Import from the file that defines a name."""
