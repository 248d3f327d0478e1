"""Arrays in, Estimate out: intervals, paired differences, agreement, power; seeded by argument, on numpy and scipy."""
