"""Counts, durations and sizes of memory as people write them: 500k, 1.5M, 90s, 10m, 2h, 512MB."""

import re

from ganvas.core.errors import UsageError

_COUNTS = {"": 1, "k": 1_000, "m": 1_000_000}
_BYTES = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_count(text: str | int) -> int:
    """500, "500", "500k" or "1.5M" as a whole number. Raises UsageError if it is not one above zero."""
    value = _parse(str(text).lower(), _COUNTS)
    if value is None or value < 1:
        raise UsageError(f"{text!r} is not a number of images: write it like 5000, 500k or 1.5M")
    return round(value)


def parse_duration(text: str | float) -> float:
    """90, "90s", "10m", "2h" or "1h30m" in seconds. Raises UsageError if it is not a time above zero."""
    pieces = re.findall(r"[\d.]+[a-z]*", str(text).lower())
    values = [_parse(piece, _SECONDS) for piece in pieces]
    if not values or "".join(pieces) != str(text).lower().replace(" ", "") or None in values:
        raise UsageError(f"{text!r} is not a time: write it like 90s, 10m, 2h or 1h30m")
    total = sum(value for value in values if value is not None)
    if total <= 0:
        raise UsageError(f"{text!r} is not a time above zero")
    return total


def parse_bytes(text: str | int) -> int:
    """512, "512MB", "1.5GB" or "512MiB" in bytes. Raises UsageError if it is not a size above zero."""
    value = _parse(str(text).lower(), _BYTES)
    if value is None or value < 1:
        raise UsageError(f"{text!r} is not a size of memory: write it like 512MB or 1.5GB")
    return round(value)


def _parse(text: str, units: dict[str, int]) -> float | None:
    found = re.fullmatch(r"(\d{1,15}(?:\.\d*)?|\.\d+)([a-z]*)", text.replace(" ", "").replace("_", ""))
    if found is None or found[2] not in units:
        return None
    return float(found[1]) * units[found[2]]


def parse_seeds(text: str) -> list[int]:
    """Seeds written as "0-63", "1,5,9" or both. Raises UsageError for anything else, or for more than 100,000."""
    seeds: list[int] = []
    for piece in text.replace(" ", "").split(","):
        found = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", piece)
        if found is None or int(found[2] or found[1]) < int(found[1]):
            raise UsageError(f"--seeds {text}: write seeds like 0-63 or 1,5,9, numbers of at most 18 digits")
        if int(found[2] or found[1]) - int(found[1]) >= 100_000 - len(seeds):
            raise UsageError(f"--seeds {text}: that is more than 100,000 pictures; ask for them in parts")
        seeds.extend(range(int(found[1]), int(found[2] or found[1]) + 1))
    return seeds


def say_count(count: int) -> str:
    """A count in four characters or so: 950, 12.3k, 500k, 1.5M."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= size:
            value = count / size
            return f"{value:.0f}{unit}" if value >= 100 else f"{value:.3g}{unit}"
    return str(count)


def say_duration(seconds: float) -> str:
    """A duration in two units: 45s, 4m10s, 2h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
