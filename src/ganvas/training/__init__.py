"""One trainer for every game: rounds of moves, the clock, the dice, averages, checkpoints, processes, the journal."""

LAUNCHED_BY = "GANVAS_LAUNCHED_BY"  # in the environment of a worker: the process that started it and reads its lines
