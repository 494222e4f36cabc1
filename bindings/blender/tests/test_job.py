"""Requests over HTTP, against servers that behave well and badly."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from figures import BODY, answer, glb, random_rotations, rig
from kinograd_blender.core.client import Progress, Server, is_local
from kinograd_blender.core.errors import KinogradError
from kinograd_blender.core.job import Job, State
from kinograd_blender.core.request import Options, Prompt, Wish

NAMES = [name for name, _, _ in BODY]


def clip(frames: int = 48) -> bytes:
    turns = random_rotations(frames * len(NAMES)).reshape(frames, -1, 4)
    return glb(*answer(NAMES, turns, np.zeros((frames, 3)), 24.0))


@dataclass
class Fake:
    """What the server does and what came."""

    capabilities: tuple[int, bytes] = (200, b'{"models": [{"id": "walker", "fps": 20.0}]}')
    posted: tuple[int, bytes, dict] = (202, b"{}", {"Location": "/generate/jobs/7"})
    looks: list[tuple[int, bytes]] = field(default_factory=list)
    came: list[tuple[str, str, dict, bytes]] = field(default_factory=list)


@contextlib.contextmanager
def serving(fake: Fake) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, body: bytes, headers: dict | None = None) -> None:
            size = int(self.headers.get("Content-Length", 0))
            fake.came.append((self.command, self.path, dict(self.headers), self.rfile.read(size)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if self.path == "/capabilities":
                self.answer(*fake.capabilities)
            else:
                self.answer(*(fake.looks.pop(0) if len(fake.looks) > 1 else fake.looks[0]))

        def do_POST(self) -> None:
            self.answer(*fake.posted)

        def do_DELETE(self) -> None:
            self.answer(204, b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def wish(samples: int = 1) -> Wish:
    return Wish(rig(), 24.0, 1, 48, [Prompt("a person walks", 1)], options=Options(samples=samples))


def done(url: str, samples: int = 1) -> Job:
    job = Job(Server(url, "0123456789abcdef"), wish(samples))
    job.start()
    job.wait(20.0)
    return job


def error_of(fake: Fake) -> str:
    with serving(fake) as url:
        job = done(url)
    assert job.state is State.FAILED
    assert "\n" not in job.error
    return job.error


def under_way(share: float) -> tuple[int, bytes]:
    return 202, json.dumps({"status": "running", "progress": share}).encode()


def test_a_job_brings_its_clip() -> None:
    fake = Fake(looks=[under_way(0.25), (200, clip())])
    with serving(fake) as url:
        job = done(url)
    assert job.state is State.DONE, job.error
    assert len(job.answer.clips[0].root_m) == 48
    commands = [(command, path) for command, path, _, _ in fake.came]
    look = ("GET", "/generate/jobs/7")
    assert commands == [("GET", "/capabilities"), ("POST", "/generate"), look, look]
    _, _, headers, body = fake.came[1]
    assert headers["Authorization"] == "Bearer 0123456789abcdef"
    assert headers["Prefer"] == "respond-async"
    assert json.loads(body)["model"] == "walker"
    assert job.progress[0] == 0.25


def test_cancelling_returns_at_once_and_tells_the_server() -> None:
    fake = Fake(looks=[under_way(0.1)])
    with serving(fake) as url:
        job = Job(Server(url), wish())
        job.start()
        while not any(path.startswith("/generate/jobs") for _, path, _, _ in list(fake.came)):
            time.sleep(0.01)
        job.cancel()
        assert job.state is State.CANCELLED
        assert job.wait(20.0) is State.CANCELLED
    assert fake.came[-1][:2] == ("DELETE", "/generate/jobs/7")


def refusal(status: int, message: str, headers: dict | None = None) -> tuple[int, bytes, dict]:
    return status, json.dumps({"error": {"code": "x", "message": message}}).encode(), headers or {}


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        (
            Fake(posted=refusal(400, "joint `x`\ncannot be a target")),
            "armature “Hero”: .* refuses: joint `x` cannot be a target",
        ),
        (Fake(posted=refusal(503, "16 wait already", {"Retry-After": "2"})), r"16 wait already \(try again in 2 s\)"),
        (Fake(posted=refusal(401, "a token is needed")), "a token is needed"),
        (Fake(posted=(502, b"<html>", {})), "HTTP 502"),
        (Fake(posted=(200, b"{}", {})), "made no job"),
        (Fake(posted=(202, b"{}", {"Location": "http://192.0.2.1/generate/jobs/7"})), "made no job"),
        (Fake(posted=(302, b"", {"Location": "http://192.0.2.1/"})), "HTTP 302"),
        (Fake(capabilities=(200, b"[]")), "does not speak MMCP"),
        (Fake(capabilities=(200, b'{"models": [{"id": "m", "supported_constraints": []}]}')), "takes no paths"),
        (Fake(looks=[(200, b"nonsense")]), "no binary glTF"),
        (Fake(looks=[(404, b"")]), "HTTP 404"),
    ],
)
def test_what_a_server_does_wrong_is_one_line(fake: Fake, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(error_of(fake))


def test_another_number_of_clips_is_refused() -> None:
    with serving(Fake(looks=[(200, clip())])) as url:
        job = done(url, samples=2)
    assert job.error == "1 clips came for 2 that were asked for"


def test_nobody_and_no_http() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert f"no server answers at {url}" in done(url).error
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=lambda: other.accept()[0].send(b"220 mail\r\n"), daemon=True).start()
        assert "HTTP" in done(f"http://127.0.0.1:{other.getsockname()[1]}").error


def test_a_wish_that_cannot_be_asked_for_never_leaves() -> None:
    with pytest.raises(KinogradError, match="no prompt"):
        Job(Server("http://127.0.0.1:1"), Wish(rig(), 24.0, 1, 48, []))


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.0.1", True),
        ("http://[::1]:8000", True),
        ("http://localhost:80/x", True),
        ("http://localhost.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://192.168.0.2:8000", False),
        ("https://example.org", False),
    ],
)
def test_other_machines_need_online_access(url: str, local: bool) -> None:
    assert is_local(url) == local
    if local:
        assert Server(url).url == url
    else:
        with pytest.raises(KinogradError, match="Blender is offline"):
            Server(url)
        assert Server(url, is_online=True).url == url


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8000", "ftp://127.0.0.1", "file:///etc/passwd", "http://", "http://a:b@127.0.0.1", "http://[x"],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(KinogradError, match="no address of a server"):
        Server(url, is_online=True)


def test_progress_of_a_strange_server_stays_within_its_bounds() -> None:
    fake = Fake(looks=[(202, b'{"progress": 7, "status": "running"}'), (202, b'{"progress": "x"}')])
    with serving(fake) as url:
        server = Server(url)
        assert server.look(url + "/generate/jobs/7") == Progress(1.0, True)
        assert server.look(url + "/generate/jobs/7") == Progress(0.0, False)
