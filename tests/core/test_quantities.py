"""Counts, durations and seeds as people write them."""

import pytest

from ganvas.core.errors import UsageError
from ganvas.core.quantities import parse_bytes, parse_count, parse_duration, parse_seeds, say_count, say_duration


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500k", 500_000),
        ("1.5M", 1_500_000),
        ("1.5m", 1_500_000),
        ("64", 64),
        (64, 64),
        ("10_000", 10_000),
        (".5k", 500),
    ],
)
def test_counts(text, count):
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "k", "-5", "0", "0.2", "5x", "1e5", "five", "5kk", "1.2.3k", "nan", "9" * 400])
def test_what_is_no_count_is_refused_with_examples(text):
    with pytest.raises(UsageError, match="write it like 5000, 500k or"):
        parse_count(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), (90, 90), (1.5, 1.5), ("90s", 90), ("10m", 600), ("2h", 7_200), ("1h30m", 5_400), ("1H 30M", 5_400),
     ("1d", 86_400), ("0.5h", 1_800), ("1m0s", 60)],
)  # fmt: skip
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-5m", "0", "0s", "5y", "10 minutes", "1h-30m", "1.2.3m", "soon", "9" * 400])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UsageError, match="is not a time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0-3", [0, 1, 2, 3]), ("1,5,9", [1, 5, 9]), ("7", [7]), ("3, 0-1,3", [3, 0, 1, 3]), ("4-4", [4])],
)
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


def test_the_usual_seeds_are_sixty_four():
    assert parse_seeds("0-63") == list(range(64))


@pytest.mark.parametrize("text", ["", "1,", "a", "5-1", "-3", "1-2-3", "1.5", "0x10", "1;2", "9" * 30])
def test_what_is_no_seeds_is_refused_with_examples(text):
    with pytest.raises(UsageError, match="write seeds like 0-63 or 1,5,9"):
        parse_seeds(text)


@pytest.mark.parametrize("text", ["0-100000", "0-999999999999999999", "0-59999,0-59999"])
def test_more_seeds_than_could_be_meant_are_refused_without_being_listed(text):
    with pytest.raises(UsageError, match="more than 100,000"):
        parse_seeds(text)


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0"), (950, "950"), (12_345, "12.3k"), (500_000, "500k"), (1_500_000, "1.5M"), (10**8, "100M")],
)
def test_counts_are_said_briefly(count, said):
    assert say_count(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0s"), (45, "45s"), (59.7, "1m00s"), (250, "4m10s"), (7_500, "2h05m"), (90_000, "25h00m")],
)
def test_durations_are_said_in_two_units(seconds, said):
    assert say_duration(seconds) == said


@pytest.mark.parametrize(
    ("text", "size"), [("512", 512), ("512MB", 512_000_000), ("1.5 GiB", 3 * 2**29), ("8kb", 8_000), ("64mib", 2**26)]
)
def test_sizes_of_memory(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "MB", "0", "-5MB", "3TB", "half", "1..5GB"])
def test_what_is_no_size_of_memory(text):
    with pytest.raises(UsageError, match="write it like 512MB"):
        parse_bytes(text)
