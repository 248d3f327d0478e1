"""Recorded verdicts beside people's labels: a judge's card. Pure: tables in, cards out."""
