import threading

import pytest
import torch

from ganvas.training.lanes import Lanes
from ganvas.training.processes import Processes


def rows_of_run(lanes: int, batch: int, processes: int) -> list[tuple[int, int]]:
    """The rows of the global batch that each lane of a run works on, in order."""
    found = []
    for rank in range(processes):
        of_process = Lanes(lanes, batch, Processes(rank, processes))
        first = of_process.rows.start
        found += of_process.map(lambda rows, first=first: (first + rows.start, first + rows.stop))
    return found


@pytest.mark.parametrize("batch", [64, 65, 66, 67, 7])
def test_lanes_are_the_same_rows_for_any_number_of_processes_that_divides_them(batch):
    alone = rows_of_run(4, batch, 1)
    assert [start for start, _ in alone[1:]] == [stop for _, stop in alone[:-1]]
    assert (alone[0][0], alone[-1][1]) == (0, batch)
    assert rows_of_run(4, batch, 2) == rows_of_run(4, batch, 4) == alone


def test_processes_that_do_not_divide_the_lanes_have_one_each(tmp_path):
    assert rows_of_run(2, 32, 3) == [(0, 11), (11, 22), (22, 32)]


def test_lanes_work_side_by_side_with_their_share_of_the_threads():
    lanes, meeting = Lanes(2, 8, Processes()), threading.Barrier(2, timeout=20)

    def meet(rows: slice) -> tuple[int, int]:
        meeting.wait()  # would time out if one lane came after the other
        return rows.start, torch.get_num_threads()

    before = torch.get_num_threads()
    torch.set_num_threads(6)
    try:
        with lanes.open():
            assert lanes.map(meet) == [(0, 3), (4, 3)]
        assert torch.get_num_threads() == 6
    finally:
        torch.set_num_threads(before)


def test_the_error_of_a_lane_comes_out_when_the_others_are_done():
    lanes, finished = Lanes(2, 8, Processes()), threading.Event()

    def work(rows: slice) -> None:
        if rows.start == 0:
            raise MemoryError("full")
        finished.wait(0.2)
        finished.set()

    with lanes.open(), pytest.raises(MemoryError, match="full"):
        lanes.map(work)
    assert finished.is_set()
