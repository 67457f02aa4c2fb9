"""One trainer for every game: rounds of moves, the clock, the dice, averages, checkpoints, processes, the journal."""
