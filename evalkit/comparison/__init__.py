"""Two runs held against each other, and what follows: pure functions over tables of scores."""
