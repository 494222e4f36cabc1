"""The command that the package brings: what it makes and says, how it ends, and how it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import kinograd
import pytest

from conftest import REPOSITORY

# The script of this environment, and the module.
FORMS = ([str(Path(sys.executable).with_name("kinograd"))], [sys.executable, "-m", "kinograd"])


def run(words: list[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KINOGRAD_MODELS": str(REPOSITORY / "models"), **more}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_the_command(form: list[str], command: Path, model: kinograd.Model, tmp_path: Path) -> None:
    words = ["generate", "a person walks forward", "--seconds", "2", "--steps", "4", "--seed", "3", "--json", "-o"]
    made = run([*form, *words, "own.npz"], tmp_path)
    assert made.returncode == 0, made.stderr
    library = model.info["engine"]["library"]
    expected = run([str(command), *words, "command.npz"], tmp_path, ORT_DYLIB_PATH=library)
    assert expected.returncode == 0, expected.stderr
    assert (tmp_path / "own.npz").read_bytes() == (tmp_path / "command.npz").read_bytes()
    own, other = (json.loads(said.stdout.replace("own.npz", "command.npz")) for said in (made, expected))
    # What it says of the command is what was typed.
    typed = "kinograd generate 'a person walks forward' --seconds 2 --steps 4 --seed 3 --json -o command.npz"
    assert own["command"] == other["command"] == typed
    assert own["clips"] == other["clips"]


@pytest.mark.parametrize("form", FORMS)
def test_it_ends_with_its_codes(form: list[str], tmp_path: Path) -> None:
    version = run([*form, "--version"], tmp_path)
    assert (version.returncode, version.stdout) == (0, f"kinograd {kinograd.__version__}\n")
    usage = run([*form, "render", "--help"], tmp_path)
    assert "Usage: kinograd render" in usage.stdout
    refused = run([*form, "generate", "a person walks", "--seconds", "-2", "-o", "a.glb"], tmp_path)
    assert refused.returncode == 1
    assert "error" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not list(tmp_path.iterdir())


def test_a_signal_ends_it(tmp_path: Path) -> None:
    words = [*FORMS[0], "generate", "a person walks", "-n", "32", "--steps", "200", "-o", "a.npz"]
    environment = {**os.environ, "KINOGRAD_MODELS": str(REPOSITORY / "models")}
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "interrupted" in said
    assert not list(tmp_path.glob("*.npz"))
