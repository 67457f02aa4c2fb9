"""Files fetched from their public source: announced, resumed, checked by SHA-256, and only then given their name."""

import errno
import http.client
import os
import shutil
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from ganvas.core.errors import DataError
from ganvas.core.files import flush, sha256_of_file
from ganvas.core.places import is_offline, megabytes

CONNECT_SECONDS = 5.0  # also how long a server may be silent before the connection is made anew
TELL_SECONDS = 10.0
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class RemoteFile:
    """A file as its publisher has it. size: bytes."""

    name: str
    url: str
    size: int
    sha256: str


class _Broken(Exception):
    """A connection that could not be made, or ended early; the message says how."""


def fetch(files: Sequence[RemoteFile], folder: Path, say: Callable[[str], None]) -> None:
    """Bring the files that are missing into a folder, saying first how large they are.

    What was fetched of a file stays there as NAME.part and is continued the next time.
    Raises DataError when the source cannot be reached, sends something else, or the disk is full.
    """
    missing = [file for file in files if not (folder / file.name).is_file()]
    if not missing:
        return
    if is_offline():
        raise DataError(f"Downloads are off (GANVAS_OFFLINE): {_by_hand(missing, folder)}")
    total = sum(file.size for file in missing)
    say(f"Downloading {megabytes(total)} from {_host(missing[0].url)} to {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < total:
            raise DataError(f"There is no room for {megabytes(total)} in {folder}: make room, or set XDG_CACHE_HOME.")
        with FileLock(folder / ".lock"):  # of several processes one downloads; the others find the files there
            for file in missing:
                _fetch_one(file, folder, say)
    except _Broken as error:
        raise DataError(f"{error}\nRun it again to go on, or {_by_hand(missing, folder)}") from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DataError(f"The disk is full: {folder} needs {megabytes(total)} for this download.") from None
        raise DataError(f"Cannot write to {folder}: {error.strerror or error}. Set XDG_CACHE_HOME.") from None


def reachable(url: str) -> bool:
    """Whether a server answers at all, found out within a few seconds even where names are not resolved."""
    answer: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(_request(url, method="HEAD"), timeout=CONNECT_SECONDS):
                answer.append(True)
        except urllib.error.HTTPError as error:
            error.close()
            answer.append(True)
        except (OSError, http.client.HTTPException):
            return

    asking = threading.Thread(target=ask, daemon=True)  # looking up a name has no time limit of its own
    asking.start()
    asking.join(CONNECT_SECONDS)
    return bool(answer)


def _fetch_one(file: RemoteFile, folder: Path, say: Callable[[str], None]) -> None:
    target, partial = folder / file.name, folder / f"{file.name}.part"
    if target.is_file():
        return
    resumed = partial.exists()
    _complete(file, partial, say)
    if sha256_of_file(partial) != file.sha256:
        partial.unlink()
        if resumed:  # what lay there from before may have been something else
            _complete(file, partial, say)
        if not resumed or sha256_of_file(partial) != file.sha256:
            partial.unlink(missing_ok=True)
            raise DataError(f"{file.url} does not have the expected content (by SHA-256). Nothing of it was kept.")
    flush(partial)
    os.replace(partial, target)
    flush(folder)


def _complete(file: RemoteFile, partial: Path, say: Callable[[str], None]) -> None:
    """Fetch until the partial file has its full length; an attempt that brings nothing ends it."""
    while (have := _length(partial)) != file.size:
        if have > file.size:
            partial.unlink()
            have = 0
        try:
            _append(file, partial, have, say)
        except _Broken:
            if _length(partial) <= have:
                raise


def _append(file: RemoteFile, partial: Path, have: int, say: Callable[[str], None]) -> None:
    request = _request(file.url)
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=CONNECT_SECONDS) as answer:
            goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            with partial.open("ab" if goes_on else "wb") as stream:
                _copy(answer, stream, file, say)
    except urllib.error.HTTPError as error:
        error.close()
        raise _Broken(f"{file.url} cannot be downloaded: the server says {error.code} {error.reason}.") from None
    except urllib.error.URLError as error:
        raise _Broken(f"{_host(file.url)} cannot be reached ({_why(error)}).") from None
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _Broken(f"The download of {file.name} broke off ({error or type(error).__name__}).") from None
    if _length(partial) < file.size:
        raise _Broken(f"The download of {file.name} broke off.")


def _copy(answer: Any, stream: Any, file: RemoteFile, say: Callable[[str], None]) -> None:
    told = time.monotonic()
    while chunk := answer.read1(_CHUNK):
        stream.write(chunk)
        if stream.tell() > file.size:
            stream.truncate(0)
            raise DataError(f"{file.url} sends more than the {file.size:,} bytes it should. Nothing of it was kept.")
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            say(f"  {file.name}: {megabytes(stream.tell())} of {megabytes(file.size)}")


def _request(url: str, method: str = "GET") -> urllib.request.Request:
    return urllib.request.Request(url, headers={"User-Agent": "ganvas", "Accept-Encoding": "identity"}, method=method)


def _why(error: urllib.error.URLError) -> str:
    return getattr(error.reason, "strerror", None) or str(error.reason)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _by_hand(files: Sequence[RemoteFile], folder: Path) -> str:
    return f"put {', '.join(file.name for file in files)} from {files[0].url.rsplit('/', 1)[0]}/ into {folder}"
