"""Clips from tasks: the command's numbers, progress, stopping, threads, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import kinograd
import numpy as np
import pytest
from tqdm import tqdm

from conftest import PACKAGE, REPOSITORY


def test_numbers_are_those_of_the_command(
    model: kinograd.Model, command: Path, task: kinograd.Task, tmp_path: Path
) -> None:
    task.sampling.count = 2
    (tmp_path / "task.json").write_text(json.dumps(task.to_dict()))
    library = model.info["engine"]["library"]
    assert "onnxruntime" in (library or ""), "the installed ONNX Runtime was not taken"
    environment = {**os.environ, "ORT_DYLIB_PATH": library, "KINOGRAD_MODELS": str(REPOSITORY / "models")}
    arguments = ["generate", "--task", "task.json", "-o", "clip.npz"]
    subprocess.run([command, *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True)
    files = sorted(tmp_path.glob("clip*.npz"))
    clips = model.generate(task)
    assert len(files) == len(clips) == 2
    for file, clip in zip(files, clips, strict=True):
        with np.load(file) as stored:
            # To the byte: the same task, model, engine, provider and threads.
            assert np.array_equal(stored["joints"], clip.joints)
            assert np.array_equal(stored["local_rotations"], clip.rotations)
            assert np.array_equal(stored["root"], clip.root)
            assert clip.features is not None
            assert np.array_equal(stored["features"], clip.features)
            assert np.array_equal(stored["parents"], clip.parents)
            record = json.loads(stored["provenance"].tobytes())
        assert record["task"] == clip.record["task"]
        assert record["seed"] == clip.seed
    assert not np.array_equal(clips[0].joints, clips[1].joints)


def test_a_task_is_the_same_in_every_form(model: kinograd.Model, task: kinograd.Task) -> None:
    document = task.to_dict()
    made = [model.generate(form)[0] for form in (task, document, json.dumps(document))]
    assert np.array_equal(made[0].joints, made[1].joints)
    assert np.array_equal(made[0].joints, made[2].joints)
    assert made[0].report is not None
    assert made[0].report["seed"] == 7
    assert made[0].report["target_error_m"] < 0.3


def test_tasks_are_filled_in_and_take_arrays(task: kinograd.Task) -> None:
    task.goals = [{"kind": "root_target", "position_m": np.array([0.25, 1.5])}]
    checked = kinograd.check(task)
    assert checked["goals"][0]["position_m"] == [0.25, 1.5]
    assert checked["guidance"]["method"] == "projection"
    prompts = kinograd.Task(["a person walks", kinograd.Prompt("a person sits down", from_secs=3)])
    assert [prompt["text"] for prompt in kinograd.check(prompts)["prompts"]] == ["a person walks", "a person sits down"]


@pytest.mark.parametrize(
    ("task", "path", "message"),
    [
        ({"duration_sec": 3, "prompts": []}, "duration_sec", "did you mean `duration_secs`"),
        ({"duration_secs": -3, "prompts": [{"text": "a"}]}, "duration_secs", "-3"),
        ({"duration_secs": "long", "prompts": [{"text": "a"}]}, "duration_secs", "invalid type"),
        ({"duration_secs": 3, "prompts": [{"text": "a", "from_secs": 9}]}, "prompts[0].from_secs", "9"),
        ({"duration_secs": 3, "prompts": [{"text": "a"}], "goals": [{"kind": "root"}]}, "goals[0].kind", "root_target"),
        ({"duration_secs": float("nan"), "prompts": []}, "", "JSON"),
        ({"duration_secs": {1, 2}, "prompts": []}, "", "JSON"),
        ("{", "", "EOF"),
        (5, "", "not int"),
    ],
)
def test_what_cannot_be_names_the_field(model: kinograd.Model, task: Any, path: str, message: str) -> None:
    for call in (kinograd.check, model.generate):
        with pytest.raises(kinograd.TaskError, match=r".") as raised:
            call(task)
        assert raised.value.path == path
        assert message in raised.value.message
        assert isinstance(raised.value, kinograd.Error)
        assert isinstance(raised.value, ValueError)


def test_what_the_model_does_not_make(model: kinograd.Model, task: kinograd.Task) -> None:
    task.duration_secs = 0.5
    with pytest.raises(kinograd.TaskError, match="duration_secs"):
        model.generate(task)


def test_models_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(kinograd.ModelError, match="nowhere"):
        kinograd.Model("nowhere")
    with pytest.raises(kinograd.Error, match=r"choose one of|expected"):
        kinograd.Model(PACKAGE, engine="torch")
    with pytest.raises(kinograd.ModelError, match=r"none\.so"):
        kinograd.Model(PACKAGE, onnx_runtime=tmp_path / "none.so")


def test_the_built_in_engine_needs_no_library(task: kinograd.Task) -> None:
    model = kinograd.Model(PACKAGE, engine="built-in")
    assert model.info["engine"]["library"] is None
    assert "built-in" in repr(model)
    task.sampling.steps = 2
    (clip,) = model.generate(task)
    assert clip.joints.shape == (40, 22, 3)


def test_progress_by_function_and_bar(model: kinograd.Model, task: kinograd.Task) -> None:
    steps: list[tuple[int, int]] = []
    model.generate(task, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(done, 5) for done in range(6)]
    with tqdm(disable=False, file=open(os.devnull, "w")) as bar:
        model.generate(task, progress=bar)
    assert (bar.n, bar.total) == (5, 5)


class StopError(Exception):
    """Raised by a function of the caller's."""


def test_what_a_function_raises_ends_the_run_at_its_step(model: kinograd.Model, task: kinograd.Task) -> None:
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append(done)
        if done == 2:
            raise StopError("enough")

    with pytest.raises(StopError, match="enough"):
        model.generate(task, progress=stop)
    assert seen == [0, 1, 2]
    assert len(model.generate(task)) == 1, "the model can be used again"


INTERRUPTED = """
import os, signal, sys, kinograd
model = kinograd.Model(sys.argv[1])
seen = []
def progress(done, total):
    seen.append(done)
    if done == 3:
        os.kill(os.getpid(), signal.SIGINT)
task = kinograd.Task("a person walks", duration_secs=2, sampling=kinograd.Sampling(steps=50))
try:
    model.generate(task, progress=progress)
except KeyboardInterrupt:
    print(seen[-1])
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_cancels_within_a_step() -> None:
    arguments = [sys.executable, "-W", "ignore", "-c", INTERRUPTED, str(PACKAGE)]
    printed = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=300).stdout
    assert printed.strip() in ("3", "4")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals of POSIX")
def test_a_signal_reaches_a_run_without_functions(model: kinograd.Model, task: kinograd.Task) -> None:
    def interrupted(*_: object) -> None:
        raise StopError("signal")

    task.sampling.steps = 500
    earlier = signal.signal(signal.SIGALRM, interrupted)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(StopError, match="signal"):
            model.generate(task)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


def test_other_threads_run_while_it_samples(model: kinograd.Model, task: kinograd.Task) -> None:
    ticks, done = [0], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks[0] += 1
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    task.sampling.steps = 50
    before = ticks[0]
    model.generate(task)
    after = ticks[0]
    done.set()
    thread.join()
    # The interpreter is taken back about fifty times; a run that kept it would let a few ticks through.
    assert after - before > 20


def test_two_threads_share_a_model(model: kinograd.Model, task: kinograd.Task) -> None:
    documents = [{**task.to_dict(), "sampling": {"seed": seed, "steps": 5}} for seed in (1, 2)]
    expected = [model.generate(document)[0].joints for document in documents]
    made: dict[int, list[Any]] = {0: [], 1: []}

    def work(index: int) -> None:
        for _ in range(3):
            made[index].append(model.generate(documents[index], progress=lambda *_: None)[0].joints)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(2):
        assert len(made[index]) == 3
        assert all(np.array_equal(joints, expected[index]) for joints in made[index])


def test_a_model_is_not_called_by_what_it_calls(model: kinograd.Model, task: kinograd.Task) -> None:
    with pytest.raises(kinograd.Error, match="is at work"):
        model.generate(task, progress=lambda *_: model.generate(task))
    assert len(model.generate(task)) == 1


def test_warnings_are_warnings(model: kinograd.Model, task: kinograd.Task) -> None:
    task.prompts = "a person zzyzx quuxly"
    with pytest.warns(kinograd.KinogradWarning, match="zzyzx") as warned:
        model.generate(task)
    assert Path(warned[0].filename).name == Path(__file__).name


def test_a_clip_for_a_character(model: kinograd.Model, task: kinograd.Task) -> None:
    (clip,) = model.generate(task, rig=REPOSITORY / "assets" / "characters" / "small.glb")
    rig = kinograd.Rig(REPOSITORY / "assets" / "characters" / "small.glb")
    assert clip.to_bytes("glb").startswith(b"glTF")
    assert clip.record["task"]["output"]["rig"]["file"].endswith("small.glb")
    assert len(clip.joint_names) == rig.report["joints"]
    with pytest.raises(kinograd.FileError, match=r"none\.glb"):
        model.generate(task, rig="none.glb")
