"""Downloads from a server of our own that can be slow, short, wrong or gone."""

import contextlib
import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ganvas import data
from ganvas.core import download
from ganvas.core.download import RemoteFile, fetch, reachable
from ganvas.core.errors import DataError
from ganvas.core.parts import load

CONTENT = np.random.default_rng(5).bytes(1_000_000)


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`; `asked` notes each path and range; `break_after` cuts answers short so many times."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {"/file.bin": CONTENT}
        self.asked: list[tuple[str, str | None]] = []
        self.ranges = True
        self.breaks = 0
        self.break_after = 300_000

    def file(self, name: str = "file.bin", content: bytes = CONTENT) -> RemoteFile:
        url = f"http://127.0.0.1:{self.server_port}/{name}"
        return RemoteFile(name, url, len(content), hashlib.sha256(content).hexdigest())


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.server.breaks > 0:
            self.server.breaks -= 1
            self.wfile.write(content[start : start + self.server.break_after])
            self.close_connection = True
            return
        with contextlib.suppress(ConnectionError):  # a client that has enough hangs up
            self.wfile.write(content[start:])

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("GANVAS_OFFLINE", "0")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_size_is_said_before_and_the_file_is_whole_after(server: Server, tmp_path: Path) -> None:
    said: list[tuple[str, int]] = []
    fetch([server.file()], tmp_path / "d", lambda line: said.append((line, len(server.asked))))
    assert said == [(f"Downloading 1.0 MB from 127.0.0.1:{server.server_port} to {tmp_path / 'd'}", 0)]
    assert (tmp_path / "d" / "file.bin").read_bytes() == CONTENT
    assert not list((tmp_path / "d").glob("*.part"))


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        fetch([server.file()], tmp_path, said.append)
    assert (len(server.asked), len(said)) == (1, 1)


def test_a_part_from_before_is_continued(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:400_000])
    fetch([server.file()], tmp_path, print)
    assert server.asked == [("/file.bin", "bytes=400000-")]
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_server_that_cannot_continue_is_asked_for_the_whole(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "file.bin.part").write_bytes(b"x" * 400_000)
    fetch([server.file()], tmp_path, print)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_part_that_was_something_else_is_thrown_away(server: Server, tmp_path: Path) -> None:
    for length in (400_000, len(CONTENT), len(CONTENT) + 5):
        (tmp_path / "file.bin").unlink(missing_ok=True)
        (tmp_path / "file.bin.part").write_bytes(b"x" * length)
        fetch([server.file()], tmp_path, print)
        assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_answers_that_end_early_are_continued(server: Server, tmp_path: Path) -> None:
    server.breaks = 2
    fetch([server.file()], tmp_path, print)
    assert [wanted for _, wanted in server.asked] == [None, "bytes=300000-", "bytes=600000-"]
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_answers_that_bring_nothing_end_it_and_keep_what_came(server: Server, tmp_path: Path) -> None:
    server.breaks, server.break_after = 10**9, 300_000
    server.files["/file.bin"] = CONTENT[:300_000]
    with pytest.raises(DataError, match=r"broke off|cannot be downloaded"):
        fetch([server.file()], tmp_path, print)
    assert (tmp_path / "file.bin.part").stat().st_size == 300_000
    assert not (tmp_path / "file.bin").exists()


def test_other_content_than_pinned_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    server.files["/file.bin"] = CONTENT[:-1] + b"!"
    with pytest.raises(DataError, match="does not have the expected content"):
        fetch([server.file()], tmp_path, print)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("file")] == []


def test_a_server_that_sends_without_end_is_cut_off(server: Server, tmp_path: Path) -> None:
    server.files["/file.bin"] = CONTENT * 20
    with pytest.raises(DataError, match="sends more than"):
        fetch([server.file()], tmp_path, print)
    assert sum(path.stat().st_size for path in tmp_path.glob("file*")) == 0


def test_no_server_and_no_such_file_say_where_to_put_it_by_hand(server: Server, tmp_path: Path) -> None:
    gone = replace(server.file(), url=f"http://127.0.0.1:{closed_port()}/file.bin")
    with pytest.raises(DataError, match=f"cannot be reached.*\n.*put file.bin from .* into {tmp_path}"):
        fetch([gone], tmp_path, print)
    with pytest.raises(DataError, match="says 404"):
        fetch([server.file("other.bin")], tmp_path, print)


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_OFFLINE", "0")
    monkeypatch.setattr(download, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file.bin"
        assert not reachable(url)
        with pytest.raises(DataError, match="Run it again to go on"):
            fetch([RemoteFile("file.bin", url, 5, "0" * 64)], tmp_path, print)


def test_reachable_tells_a_server_from_none(server: Server) -> None:
    assert reachable(server.file().url)
    assert not reachable(f"http://127.0.0.1:{closed_port()}/")


def test_a_full_disk_is_said_before_anything_is_fetched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(DataError, match=r"no room for 1\.0 MB"):
        fetch([server.file()], tmp_path, print)
    assert not server.asked


def test_offline_nothing_is_asked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_OFFLINE", "1")
    with pytest.raises(DataError, match="Downloads are off"):
        fetch([server.file()], tmp_path, print)
    assert not server.asked


def test_a_named_set_is_fetched_then_found(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mnist = load(data.NAMES, "mnist", "data set")
    bundled = Path(data.__file__).parent / "bundled" / "fashion-mnist"
    for path in bundled.glob("t10k-*"):
        server.files[f"/{path.name}"] = path.read_bytes()
    published = tuple(server.file(name.strip("/"), content) for name, content in server.files.items() if "t10k" in name)
    monkeypatch.setattr("ganvas.data.named.mnist.MNIST", replace(mnist, published=published))
    said: list[str] = []
    found = data.open_data("mnist/test", memory=2**30, say=said.append)
    assert (len(found), found.where) == (1000, "mnist/test")
    assert said[0].startswith("Downloading 0.4 MB from 127.0.0.1")
    assert str(tmp_path / "cache" / "ganvas" / "mnist") in said[0]
    asked = len(server.asked)
    assert len(data.open_data("mnist/test", memory=2**30)) == 1000
    assert len(server.asked) == asked
