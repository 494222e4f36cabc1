"""A server of one's own as a child."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from kinograd_blender.core.errors import KinogradError
from kinograd_blender.core.process import Condition, LocalServer


def program(folder: Path, text: str) -> str:
    path = folder / "kinograd"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def until(server: LocalServer, condition: Condition) -> None:
    for _ in range(400):
        if server.condition is condition:
            return
        time.sleep(0.05)
    pytest.fail(f"{server.condition} in place of {condition}")


def test_it_says_where_it_listens(tmp_path: Path) -> None:
    said = tmp_path / "said"
    text = f'echo "$@" > {said}\necho "{{"\necho "\\"url\\": \\"http://127.0.0.1:81\\"}}"\nexec sleep 60\n'
    server = LocalServer(program(tmp_path, text), 81, ["--model", "my model"])
    until(server, Condition.RUNNING)
    assert server.url == "http://127.0.0.1:81"
    assert said.read_text() == "serve --port 81 --json --model my model\n"
    server.stop()
    assert server.condition is Condition.ENDED
    assert server.was_stopped


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    server = LocalServer(program(tmp_path, "trap '' TERM\nwhile :; do sleep 0.1; done\n"), 0)
    assert server.condition is Condition.STARTING
    time.sleep(0.3)
    server.stop()
    assert server.condition is Condition.ENDED


def test_why_it_ended(tmp_path: Path) -> None:
    server = LocalServer(program(tmp_path, "echo looking >&2\necho 'error: port 81 is taken' >&2\nexit 3\n"), 81)
    until(server, Condition.ENDED)
    assert server.last_words() == "the server ended (3): error: port 81 is taken"
    server.stop()


def test_programs_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KinogradError, match="nothing” is no program that can be run"):
        LocalServer(str(tmp_path / "nothing"), 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KinogradError, match="no command “kinograd” in PATH"):
        LocalServer("", 0)
    broken = tmp_path / "kinograd"
    broken.write_bytes(os.urandom(16))
    broken.chmod(0o755)
    with pytest.raises(KinogradError, match="cannot be started"):
        LocalServer("", 0)
