"""Work that is done while its turn has not come."""

import threading

import pytest

from ganvas.core.ahead import one_ahead


def test_items_come_in_their_order_and_each_once():
    assert list(one_ahead(iter(range(50)))) == list(range(50))
    assert list(one_ahead([])) == []
    assert list(one_ahead([None, None])) == [None, None]


def test_the_next_item_is_made_while_one_is_used():
    made = threading.Event()

    def items():
        yield "first"
        made.set()
        yield "second"

    for item in one_ahead(items()):
        if item == "first":
            assert made.wait(10), "nobody worked ahead"


def test_what_goes_wrong_while_working_ahead_is_raised_in_its_turn():
    def items():
        yield 1
        raise OSError("the file is gone")

    found = one_ahead(items())
    assert next(found) == 1
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_who_stops_listening_early_leaves_no_thread():
    before = threading.active_count()
    for item in one_ahead(iter(range(1000))):
        if item == 3:
            break
    assert threading.active_count() <= before + 1
