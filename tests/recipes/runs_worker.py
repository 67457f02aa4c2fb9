"""Continues runs one after the other, in as many processes as the environment names; run by test_two_processes.py.

Arguments: the run folders. What `ganvas resume` does for each, but the processes meet once for all of them.
"""

import os
import sys

from ganvas import api
from ganvas.training.processes import Processes


def main() -> None:
    processes, leave = Processes.join(), Processes.leave
    Processes.leave = lambda stay: None
    for path in sys.argv[1:]:
        api.resume(path, say=lambda sentence: None)
    leave(processes)
    os._exit(0)  # as `ganvas` does: the interpreter's shutdown may abort while torch.distributed's threads wind down


if __name__ == "__main__":
    main()
