"""Pushing to and loading from a hub: a server of our own on this machine, that speaks the hub's protocol."""

import base64
import hashlib
import http.server
import json
import re
import threading
from pathlib import Path

import numpy as np
import pytest

from ganvas.core.errors import DataError, UsageError
from ganvas.inference import hub
from ganvas.inference.loading import load

huggingface_hub = pytest.importorskip("huggingface_hub", reason="the extra 'hub' is not installed")


class Hub(http.server.BaseHTTPRequestHandler):
    """What the client asks of a hub to make a repository, commit to it and download from it."""

    repos: dict[str, dict[str, bytes]]
    tokens: set[str | None]
    private: dict[str, bool]
    COMMIT = "0" * 39 + "1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, content=b"", **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).tokens.add(self.headers.get("Authorization"))
        if self.headers.get("Authorization") != "Bearer hf_right":
            return self.answer(401, {"error": "Invalid username or password."})
        if self.path == "/api/repos/create":
            asked = json.loads(content)
            name = f"{asked['organization']}/{asked['name']}"
            status = 409 if name in self.repos else 200
            self.repos.setdefault(name, {})
            if status == 200:
                self.private[name] = asked.get("private") or asked.get("visibility") == "private"
            return self.answer(status, {"url": f"http://{self.headers['Host']}/{name}"})
        if self.path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        name = re.match(r"/api/models/([^/]+/[^/]+)/", self.path)[1]
        if "/preupload/" in self.path:
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                for one in json.loads(content)["files"]
            ]
            return self.answer(200, {"files": files})
        for line in content.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                self.repos[name][entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
        url = f"http://{self.headers['Host']}/{name}/commit/{self.COMMIT}"
        return self.answer(200, {"commitUrl": url, "commitOid": self.COMMIT, "success": True})

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        found = re.match(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", self.path)
        if found is None:
            info = re.match(r"/api/models/([^/?]+/[^/?]+)", self.path)
            if info is None or info[1] not in self.repos:
                return self.answer(404, {}, X_Error_Code="RepoNotFound")
            private = self.private.get(info[1], False)
            return self.answer(200, {"id": info[1], "sha": self.COMMIT, "siblings": [], "private": private})
        if found[1] not in self.repos:
            return self.answer(404, {}, X_Error_Code="RepoNotFound")
        if found[2] not in self.repos[found[1]]:
            return self.answer(404, {}, X_Error_Code="EntryNotFound", X_Repo_Commit=self.COMMIT)
        content = self.repos[found[1]][found[2]]
        etag = f'"{hashlib.sha1(content).hexdigest()}"'
        return self.answer(200, content, ETag=etag, X_Repo_Commit=self.COMMIT)


@pytest.fixture
def served(monkeypatch, tmp_path):
    """The repositories of a hub on this machine, to which the client is pointed, with a token that it takes."""
    Hub.repos, Hub.tokens, Hub.private = {}, set(), {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    monkeypatch.setenv("GANVAS_OFFLINE", "0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    yield Hub.repos
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_is_pushed_is_loaded_by_its_name(run, served):
    generator = load(run)
    address = generator.push("someone/digits", licence="CC0-1.0")
    assert address.endswith("/someone/digits")
    assert sorted(served["someone/digits"]) == ["README.md", "config.json", "model.safetensors", "preview.png"]
    assert served["someone/digits"]["README.md"].startswith(b"---\nlibrary_name: ganvas\n")
    again = load("someone/digits")
    assert again.card == generator.card | {"licence": "CC0-1.0"}
    assert np.array_equal(again.sample(range(9)), generator.sample(range(9)))
    generator.push("someone/digits")  # once more, over it
    assert json.loads(served["someone/digits"]["config.json"])["licence"] is None
    assert b'ganvas.load("someone/digits")' in served["someone/digits"]["README.md"].replace(b"'", b'"')


def test_what_is_to_be_private_is_not_put_where_anyone_sees_it(run, served):
    generator = load(run)
    generator.push("someone/open")
    before = dict(served["someone/open"])
    with pytest.raises(UsageError, match="for anyone to see"):
        generator.push("someone/open", licence="CC0-1.0", private=True)
    assert served["someone/open"] == before
    generator.push("someone/own", private=True)
    generator.push("someone/own", private=True)
    assert "model.safetensors" in served["someone/own"]


def test_a_generator_that_was_fetched_is_there_without_a_network(run, served, monkeypatch):
    load(run).push("someone/digits")
    fetched = load("someone/digits").sample([3])
    served.clear()
    monkeypatch.setenv("GANVAS_OFFLINE", "1")
    assert np.array_equal(load("someone/digits").sample([3]), fetched)
    with pytest.raises(DataError, match=r"no file or folder someone/other here, and .* cannot be reached"):
        load("someone/other")
    with pytest.raises(UsageError, match="GANVAS_OFFLINE"):
        load(run).push("someone/digits")


def test_what_is_not_on_the_hub_or_not_ours_is_told(run, served):
    with pytest.raises(DataError, match=r"no file or folder someone/nothing here, and .* has no someone/n"):
        load("someone/nothing")
    served["someone/diffusion"] = {"config.json": b"{}"}
    with pytest.raises(DataError, match=r"no file or folder someone/diffusion here, and .* not a network of Ganvas"):
        load("someone/diffusion")
    served["someone/foreign"] = {"model.safetensors": b"\x08" + b"\0" * 7 + b"{}      "}
    with pytest.raises(DataError, match="its card is missing"):
        load("someone/foreign")


@pytest.mark.parametrize(
    "name", ["runs/cats-1", "here/cats", "cats/generator.safetensors", "cats/G.ONNX", "cats/g.pt2", "cats/model.BIN"]
)
def test_a_path_with_a_slip_is_told_here_and_to_nobody_else(served, name, monkeypatch):
    def asked(name):
        raise AssertionError(f"the hub was asked for {name}")

    monkeypatch.setattr(hub, "fetch", asked)
    Path("here").mkdir()
    with pytest.raises(DataError, match=f"No network at {name}: there is no such file or folder"):
        load(name)


def test_a_token_that_may_not_write_is_told(run, served, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(DataError, match="hf auth login"):
        load(run).push("someone/digits")
    assert served == {}
    assert Hub.tokens == {"Bearer hf_wrong"}


def test_without_a_way_to_the_hub_it_is_told(run, served, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match="cannot be reached"):
        load("someone/digits")
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9/someone/digits"):
        load(run).push("someone/digits")


@pytest.mark.parametrize("name", ["digits", "a/b/c", "some one/x", "../x", "/x/y", "user/"])
def test_a_name_that_is_none_on_the_hub_is_refused(run, name):
    assert not hub.is_name(name)
    with pytest.raises(UsageError, match="user/name"):
        load(run).push(name)


def test_without_the_extra_the_command_that_installs_it_is_told(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=r"pip install 'ganvas\[hub\]'"):
        load("someone/digits")
    with pytest.raises(UsageError, match=r"pip install 'ganvas\[hub\]'"):
        load(run).push("someone/digits")
