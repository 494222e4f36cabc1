"""The Blender extension in Blender, end to end: armature in, action out.

    python tests/blender_extension/judge.py target/release/kinograd [ARGUMENT...]

Installs the extension as a user does, has it start the server, and makes clips on armatures of several files, places,
scales and rotation modes. Blender's own evaluation then says whether toes that are down stay, targets are reached, the
way keeps out of obstacles, and whether every bone is where it is in the server's own file read by Blender's glTF
importer. Further arguments go to `kinograd serve`. Exits with 1 where something is wrong.
"""

import shlex
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import stage
from stage import FIGURES, FPS, Figure

import bpy  # isort: skip
import numpy as np

failed: list[str] = []


def check(name: str, holds: bool, note: object = "") -> None:
    """One line of the report."""
    print(("ok    " if holds else "WRONG ") + f"{name}: {note}", flush=True)
    if not holds:
        failed.append(name)


def at_most(name: str, value: float, limit: float, unit: str) -> None:
    """A number and its limit."""
    check(name, value <= limit, f"{value:.4f} {unit} (at most {limit})")


def bodies(kinograd: str, folder: Path) -> None:
    """Our body in three formats, and a character of other proportions."""
    clip = sorted((stage.ROOT / "assets/clips").glob("*.bvh"))[0]
    for kind in ("glb", "fbx", "bvh"):
        command = [kinograd, "convert", clip, folder / f"body.{kind}", "-q"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    character = (stage.ROOT / "assets/characters/small.glb").read_bytes()
    (folder / "small.glb").write_bytes(character)


def slide_mps(toes: np.ndarray) -> float:
    """Mean speed over the ground of toes that are down, m/s; `[frames, toes, 3]`, Z up."""
    low = toes[..., 2] < np.quantile(toes[..., 2], 0.05, axis=0) + 0.015
    down = low[1:] & low[:-1]
    speeds = np.linalg.norm(np.diff(toes[..., :2], axis=0), axis=-1) * FPS
    assert down.sum() > 10, "no toe is ever down"
    return float(speeds[down].mean())


def judge_figure(figure: Figure, folder: Path, answers: stage.Answers) -> None:
    """A walk to a target, round a cylinder."""
    armature = stage.stand(figure, folder)
    target = stage.empty("goal", stage.ahead(armature, figure, 2.6, 0.3))
    bpy.ops.mesh.primitive_cylinder_add(
        radius=0.25 * figure.units, depth=figure.units, location=stage.ahead(armature, figure, 1.3, 0.1, 0.5)
    )
    pillar = bpy.context.active_object
    pillar.kinograd_obstacle.shape = "CYLINDER"
    bpy.context.view_layer.objects.active = armature
    armature.kinograd.targets = stage.collection("targets", target)
    armature.kinograd.obstacles = stage.collection("obstacles", pillar)
    bpy.context.view_layer.update()
    start = np.array(armature.matrix_world.translation)
    action = stage.make()
    frames = round(3.0 * FPS)
    names = [figure.pelvis, *figure.toes]
    heads = stage.heads_m(armature, names, frames)
    unit = bpy.context.scene.unit_settings.scale_length
    wanted, pelvis = np.array(target.location) * unit, heads[:, 0]
    at_most(f"{figure.name}: root's target", float(np.linalg.norm(pelvis[-1, :2] - wanted[:2])), 0.02, "m")
    at_most(f"{figure.name}: from where it stood", float(np.linalg.norm(pelvis[0, :2] - start[:2] * unit)), 0.1, "m")
    room = np.linalg.norm(pelvis[:, :2] - np.array(pillar.location)[:2] * unit, axis=1).min() - 0.25
    at_most(f"{figure.name}: into the obstacle", float(-room), 0.0, "m")
    at_most(f"{figure.name}: toes that are down", slide_mps(heads[:, 1:]), 0.15, "m/s")
    lowest = np.quantile(heads[:, 1:, 2], 0.05)
    at_most(f"{figure.name}: toes off the floor", float(abs(lowest)), 0.04, "m")
    curves = stage.part("actions").fcurves_of(action)
    kinds = {point.interpolation for curve in curves for point in curve.keyframe_points}
    check(f"{figure.name}: straight lines between keys", kinds == {"LINEAR"}, kinds)
    check(f"{figure.name}: action", action.use_fake_user and tuple(action.frame_range) == (1, frames), action.name)
    same_as_gltf(figure, armature, frames, answers.last)


def same_as_gltf(figure: Figure, armature: bpy.types.Object, frames: int, data: bytes) -> None:
    """Every bone against the server's own file, which Blender's importer reads; its frames are the scene's."""
    names = [bone.name for bone in armature.pose.bones]
    ours = stage.heads_m(armature, names, frames)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.glb"
        path.write_bytes(data)
        unit, bpy.context.scene.unit_settings.scale_length = bpy.context.scene.unit_settings.scale_length, 1.0
        other = stage.armature_of(path)
    # Its first frame is at 0 s.
    first = round(other.animation_data.action.frame_range[0])
    start, bpy.context.scene.frame_start = bpy.context.scene.frame_start, first
    theirs = stage.heads_m(other, names, frames, FPS / stage.part("core.gltf").read(data).clips[0].fps)
    bpy.context.scene.frame_start = start
    bpy.context.scene.unit_settings.scale_length = unit
    bpy.data.objects.remove(other)
    bpy.context.view_layer.objects.active = armature
    at_most(f"{figure.name}: every bone, against the glTF importer", float(np.abs(ours - theirs).max()), 1e-3, "m")


def judge_path(folder: Path) -> None:
    """A curve, a target for a hand, prompts in time, samples, a frame rate of its own."""
    figure = FIGURES[0]
    armature = stage.stand(figure, folder)
    task = armature.kinograd
    curve = bpy.data.curves.new("way", "CURVE")
    curve.dimensions, curve.bevel_depth = "3D", 0.1
    spline = curve.splines.new("BEZIER")
    spline.bezier_points.add(1)
    for point, place, handle in zip(
        spline.bezier_points, [(0.5, 1.0, 2.0), (2.5, -1.0, 2.0)], [(0.0, -1.0, 0.0), (1.0, 0.0, 0.0)], strict=True
    ):
        point.co = place
        point.handle_left = tuple(np.subtract(place, handle))
        point.handle_right = tuple(np.add(place, handle))
    way = bpy.data.objects.new("way", curve)
    bpy.context.collection.objects.link(way)
    task.path, task.samples, task.seconds = way, 2, 3.0
    bpy.context.view_layer.update()
    before = len(bpy.data.objects), len(bpy.data.curves)
    old = bpy.data.actions.new("mine")
    old.use_fake_user = False
    armature.animation_data_create().action = old
    stage.make()
    check("path: nothing is left over", before == (len(bpy.data.objects), len(bpy.data.curves)))
    names = [action.name for action in bpy.data.actions]
    check(
        "path: two samples, and the action before",
        names == ["a person walks forward 1", "a person walks forward 2", "mine"] and old.use_fake_user,
        names,
    )
    pelvis = stage.heads_m(armature, ["pelvis"], 90)[:, 0]
    # Bernstein's polynomials of the four points.
    t = np.linspace(0.0, 1.0, 500)[:, None]
    corners = np.array([(0.5, 1.0), (0.5, 0.0), (1.5, -1.0), (2.5, -1.0)])
    line = ((1 - t) ** 3) * corners[0] + 3 * (1 - t) ** 2 * t * corners[1] + 3 * (1 - t) * t**2 * corners[2]
    line = line + t**3 * corners[3]
    off = np.linalg.norm(pelvis[:, None, :2] - line[None], axis=-1).min(axis=1)
    at_most("path: off the curve", float(off.max()), 0.03, "m")
    at_most("path: its start", float(np.linalg.norm(pelvis[0, :2] - line[0, :2])), 0.02, "m")
    at_most("path: its end", float(np.linalg.norm(pelvis[-1, :2] - line[-1, :2])), 0.02, "m")


def judge_hand(figure: Figure, folder: Path) -> None:
    """A hand at a place at a frame, told by the empty's name; two prompts; the scene's range; floor above 0."""
    armature = stage.stand(figure, folder, "a person walks forward")
    current = bpy.context.scene
    current.frame_start, current.frame_end, current.render.fps = 11, 82, 24
    task = armature.kinograd
    second = task.prompts.add()
    second.text, second.frame = "a person stands still", 48
    task.length, task.floor = "SCENE", 0.5
    armature.location.z = 0.5
    hand = stage.empty(f"{figure.wrist}.001", (-0.1, -1.5, 0.5 + 1.1))
    hand.kinograd_target.use_frame, hand.kinograd_target.frame = True, 71
    task.targets = stage.collection("targets", hand)
    action = stage.make()
    check(f"{figure.name}: hand: frames", tuple(action.frame_range) == (11, 82), tuple(action.frame_range))
    heads = stage.heads_m(armature, [figure.wrist, *figure.toes], 72)
    at_most(f"{figure.name}: hand: its place", float(np.linalg.norm(heads[60, 0] - np.array(hand.location))), 0.05, "m")
    at_most(
        f"{figure.name}: hand: toes off a floor at 0.5 m",
        float(abs(np.quantile(heads[:, 1:, 2], 0.05) - 0.5)),
        0.04,
        "m",
    )


def judge_poses(folder: Path) -> None:
    """Keys of an action as poses of another clip."""
    figure = FIGURES[1]
    armature = stage.stand(figure, folder)
    source = stage.make()
    frames = {1, 45, 90}
    names = [bone.name for bone in armature.pose.bones]
    wanted = stage.heads_m(armature, names, 90)
    sparse = source.copy()
    sparse.name = "poses"
    for curve in stage.part("actions").fcurves_of(sparse):
        for point in reversed(curve.keyframe_points):
            if round(point.co.x) not in frames:
                curve.keyframe_points.remove(point, fast=True)
        curve.update()
    task = armature.kinograd
    task.poses, task.seed = sparse, 9
    bpy.context.scene.frame_set(17)
    before = [tuple(bone.rotation_quaternion) for bone in armature.pose.bones]
    wish = stage.part("scene").wish_of(bpy.context, armature)
    after = [tuple(bone.rotation_quaternion) for bone in armature.pose.bones]
    is_kept = bpy.context.scene.frame_current == 17 and armature.animation_data.action == source
    check("poses: reading them changes nothing", is_kept and np.allclose(before, after))
    check("poses: frames", {pose.frame for pose in wish.poses} == frames, sorted(pose.frame for pose in wish.poses))
    stage.make()
    made = stage.heads_m(armature, names, 90)
    for frame in (0, 44, 89):
        off = np.linalg.norm(made[frame] - wanted[frame], axis=1).mean()
        at_most(f"poses: bones at frame {frame + 1}, mean", float(off), 0.1, "m")
    curves = stage.part("actions").fcurves_of(sparse)
    check("poses: their action is as it was", all(len(curve.keyframe_points) <= 3 for curve in curves))


def judge_box(folder: Path) -> None:
    """A turned box that bars the way; the object's own axes are those of the shape."""
    figure = FIGURES[0]
    armature = stage.stand(figure, folder)
    bpy.ops.mesh.primitive_cube_add(size=1.0, location=(0.1, -1.5, 0.5), rotation=(0.0, 0.0, 0.5))
    wall = bpy.context.active_object
    wall.scale = (0.9, 0.15, 1.0)
    bpy.context.view_layer.objects.active = armature
    armature.kinograd.obstacles = stage.collection("obstacles", wall)
    armature.kinograd.targets = stage.collection("targets", stage.empty("goal", (0.0, -3.0, 0.0)))
    armature.kinograd.seconds = 5.0
    stage.make()
    pelvis = stage.heads_m(armature, ["pelvis"], 150)[:, 0]
    inverse = np.array(wall.matrix_world.inverted())
    own = (pelvis @ inverse[:3, :3].T + inverse[:3, 3])[:, :2]
    depth = (0.5 - np.abs(own)).min(axis=1).max()
    at_most("box: into it, of its size", float(depth), 0.0, "")
    at_most("box: target", float(np.linalg.norm(pelvis[-1, :2] - [0.0, -3.0])), 0.02, "m")


def modal(run_for: float, keys: dict[float, str]) -> tuple[set[str], list[tuple[str, str]], float]:
    """The operator's own functions as a window would call them: `invoke`, then a timer and keys at times in seconds.

    A module of Blender has no window that sends events. Returns the end, what was reported, and the longest call, s.
    """
    operators = stage.part("operators")
    reports: list[tuple[str, str]] = []
    self = SimpleNamespace(report=lambda kind, text: reports.append((next(iter(kind)), text)))
    for name in ("_begin", "_end"):
        setattr(self, name, getattr(operators.KinogradGenerate, name).__get__(self))
    manager = SimpleNamespace(
        event_timer_add=lambda *_, **__: None,
        event_timer_remove=lambda *_: None,
        modal_handler_add=lambda *_: None,
        **{name: lambda *_: None for name in ("progress_begin", "progress_update", "progress_end")},
    )
    now = bpy.context
    context = SimpleNamespace(
        window_manager=manager,
        window=None,
        workspace=None,
        scene=now.scene,
        active_object=now.active_object,
        view_layer=now.view_layer,
        preferences=now.preferences,
        evaluated_depsgraph_get=now.evaluated_depsgraph_get,
    )
    state = operators.KinogradGenerate.invoke(self, context, None)
    started, longest = time.monotonic(), 0.0
    due = sorted(keys.items())
    while state in ({"RUNNING_MODAL"}, {"PASS_THROUGH"}) and time.monotonic() - started < run_for:
        kind = "TIMER"
        if due and time.monotonic() - started >= due[0][0]:
            kind = due.pop(0)[1]
        if callable(kind):
            kind()
            kind = "TIMER"
        before = time.monotonic()
        state = operators.KinogradGenerate.modal(self, context, SimpleNamespace(type=kind, value="PRESS"))
        longest = max(longest, time.monotonic() - before)
        time.sleep(0.05)
    return state, reports, longest


def judge_modal(folder: Path) -> None:
    """Progress, other keys, Esc, the button, an armature that is deleted meanwhile."""
    session = stage.part("session")
    armature = stage.stand(FIGURES[0], folder)
    armature.kinograd.seconds = 2.0
    state, reports, longest = modal(120.0, {0.1: "A", 0.2: "MOUSEMOVE"})
    check("modal: finishes", state == {"FINISHED"} and reports[-1][0] == "INFO", (state, reports))
    print(f"      longest call of the operator {longest:.2f} s")
    armature.kinograd.seconds, armature.kinograd.steps, armature.kinograd.samples = 9.0, 200, 4
    count = len(bpy.data.actions)
    for name, press in {"Esc": "ESC", "the button": lambda: bpy.ops.kinograd.cancel()}.items():
        state, reports, _ = modal(60.0, {1.0: press})
        is_given_up = state == {"CANCELLED"} and "given up" in reports[-1][1] and session.current.run is None
        check(f"cancel by {name}", is_given_up and len(bpy.data.actions) == count, reports)
        check(f"cancel by {name}: the server is free again", free_within(10.0))
    busy, messages = None, []

    def second() -> None:
        nonlocal busy
        with stage.refused() as messages_:
            busy = bpy.ops.kinograd.generate()
        messages.extend(messages_)

    state, _, _ = modal(60.0, {0.5: second, 1.0: "ESC"})
    check("one at a time", bool(messages) and "under way already" in messages[0], messages)
    name = armature.name
    state, reports, _ = modal(60.0, {1.0: lambda: bpy.data.objects.remove(bpy.data.objects[name])})
    gone = f"armature “{name}” is gone: its clip was given up"
    check("armature deleted meanwhile", state == {"CANCELLED"} and reports[-1] == ("ERROR", gone), reports)
    check("armature deleted meanwhile: the server is free again", free_within(10.0))


def free_within(seconds: float) -> bool:
    """Whether the server has nothing to do by then."""
    server = stage.part("session").connect(bpy.context)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with urllib.request.urlopen(server.url + "/metrics") as answer:
            text = answer.read().decode()
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        busy = [name for name, value in lines.items() if ("queue" in name or "running" in name) and float(value) > 0]
        if not busy:
            return True
        time.sleep(0.2)
    print(text)
    return False


def refusal(name: str, *words: str) -> None:
    """The button must refuse in one line that has the words."""
    with stage.refused() as lines:
        bpy.ops.kinograd.generate()
    holds = len(lines) == 1 and "\n" not in lines[0] and all(word in lines[0] for word in words)
    check(f"refused: {name}", holds, lines)


def judge_errors(folder: Path) -> None:
    """Everything that can be wrong, named."""
    figure = FIGURES[0]

    def fresh() -> bpy.types.Object:
        armature = stage.stand(figure, folder)
        armature.name = "Hero"
        return armature

    armature = fresh()
    armature.kinograd.prompts.clear()
    refusal("no prompt", "“Hero” has no prompt")
    armature.kinograd.prompts.add().text = " "
    refusal("an empty prompt", "“Hero” has an empty prompt")
    armature = fresh()
    late = armature.kinograd.prompts.add()
    late.text, late.frame = "a person sits", 400
    refusal("a prompt outside the clip", "“a person sits”", "400", "1 to 90")
    armature = fresh()
    empty = stage.empty("door", (1.0, 0.0, 0.0))
    empty.kinograd_target.bone = "tail"
    armature.kinograd.targets = stage.collection("targets", empty)
    refusal("a target's bone that is not there", "“door”", "“Hero”", "“tail”")
    empty.kinograd_target.bone, empty.kinograd_target.use_frame, empty.kinograd_target.frame = "", True, 300
    refusal("a target outside the clip", "“door”", "300")
    armature = fresh()
    armature.kinograd.targets = stage.collection("nothing")
    refusal("targets without objects", "“nothing” has no objects")
    armature = fresh()
    armature.kinograd.obstacles = stage.collection("things", stage.empty("lamp", (0.0, 0.0, 0.0)))
    refusal("an obstacle that is no mesh", "“lamp” is no mesh")
    armature = fresh()
    point = bpy.data.objects.new("point", bpy.data.meshes.new("point"))
    armature.kinograd.obstacles = stage.collection("things", point)
    refusal("an obstacle without vertices", "“point” has no vertices")
    armature = fresh()
    line = bpy.data.curves.new("pole", "CURVE")
    line.dimensions = "3D"
    line.splines.new("POLY").points.add(1)
    line.splines[0].points[1].co = (0.0, 0.0, 2.0, 1.0)
    armature.kinograd.path = bpy.data.objects.new("pole", line)
    refusal("a path without length", "“pole” has no length on the ground")
    line.splines.new("POLY")
    refusal("a path of two lines", "“pole” has 2 lines")
    armature = fresh()
    text = bpy.data.texts.new("more")
    text.write("{")
    armature.kinograd.extra = text
    refusal("a text that is no JSON", "“more” is no JSON")
    text.clear()
    text.write('{"goals": [{"kind": "fly"}]}')
    refusal("a goal that the server does not know", "x_kinograd.goals", "fly")
    armature = fresh()
    armature.scale = (1.0, 2.0, 1.0)
    bpy.context.view_layer.update()
    refusal("an uneven scale", "“Hero” is scaled unevenly")
    armature = fresh()
    armature.kinograd.seconds = 60.0
    refusal("a clip that is too long", "max_duration_seconds")
    armature = fresh()
    armature.kinograd.poses = bpy.data.actions.new("rest")
    refusal("poses without keys", "“rest” has no keys")
    stage.scene()
    data = bpy.data.armatures.new("bar")
    bar = bpy.data.objects.new("bar", data)
    bpy.context.collection.objects.link(bar)
    bpy.context.view_layer.objects.active = bar
    bar.kinograd.prompts.add().text = "a person walks"
    refusal("an armature without bones", "“bar” has no bones")
    bpy.ops.object.mode_set(mode="EDIT")
    bone = data.edit_bones.new("thing")
    bone.head, bone.tail = (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    refusal("edit mode", "“bar” is in edit mode")
    bpy.ops.object.mode_set(mode="OBJECT")
    refusal("a skeleton that is no humanoid", "“bar”", "no humanoid")
    # A finger has no counterpart in the model's body.
    armature = stage.stand(FIGURES[4], folder)
    finger = stage.empty("J_Bip_L_Index1", (0.0, 0.0, 1.0))
    armature.kinograd.targets = stage.collection("targets", finger)
    refusal("a bone that no part of the body is", "`J_Bip_L_Index1` cannot be a target")


def drawn() -> list[str]:
    """What all panels that may be seen draw now."""
    found = []
    for name in dir(bpy.types):
        panel = getattr(bpy.types, name)
        if name.startswith("VIEW3D_PT_kinograd") and getattr(panel, "poll", lambda _: True)(bpy.context):
            layout = stage.Layout()
            panel.draw(SimpleNamespace(layout=layout), bpy.context)
            found += layout.drawn
    return found


def judge_panels(folder: Path) -> None:
    """Every property is somewhere in the sidebar."""
    armature = stage.stand(FIGURES[0], folder)
    task = armature.kinograd
    task.prompts.add().text = "a person sits"
    empty, curve = stage.empty("goal", (0.0, 0.0, 0.0)), bpy.data.curves.new("way", "CURVE")
    empty.select_set(True)
    check("panel: collects empties", bpy.ops.kinograd.collect(kind="targets") == {"FINISHED"})
    check("panel: into a collection", task.targets is not None and list(task.targets.objects) == [empty])
    with stage.refused() as lines:
        bpy.ops.kinograd.collect(kind="obstacles")
    check("panel: no mesh is selected", lines == ["no mesh is selected beside armature “skeleton”"], lines)
    task.path, task.path_whole = bpy.data.objects.new("way", curve), False
    task.obstacles, task.length, task.guidance = task.targets, "SECONDS", "REGULAR"
    seen = set(drawn())
    names = {each.identifier for each in task.bl_rna.properties if not each.is_readonly} - {"name", "prompt_index"}
    check("panel: every setting is shown", names <= seen, sorted(names - seen) or f"{len(names)} settings")
    stage.part("session").current.note = "a long line of words that says what is wrong with the thing, and where"
    check("panel: what went wrong is shown", "what is wrong with" in " ".join(drawn()))
    bpy.context.view_layer.objects.active = empty
    check("panel: an empty's own settings", {"bone", "use_frame"} <= set(drawn()))
    check("panel: prompts come and go", prompts_come_and_go(armature))


def judge_file(folder: Path) -> None:
    """Settings are kept in the file, and the extension can be switched off and on."""
    armature = stage.stand(FIGURES[0], folder)
    goal = stage.empty("goal", (0.0, -2.0, 0.0))
    goal.kinograd_target.bone = "left_wrist"
    armature.kinograd.targets, armature.kinograd.seed = stage.collection("targets", goal), 7
    path = str(folder / "scene.blend")
    stage.quiet(bpy.ops.wm.save_as_mainfile, filepath=path)
    stage.quiet(bpy.ops.preferences.addon_disable, module=stage.MODULE)
    stage.quiet(bpy.ops.preferences.addon_enable, module=stage.MODULE)
    stage.quiet(bpy.ops.wm.open_mainfile, filepath=path)
    task = only_armature().kinograd
    kept = (task.prompts[0].text, task.seed, task.targets.objects[0].kinograd_target.bone)
    check("file: what is asked for is kept", kept == ("a person walks forward", 7, "left_wrist"), kept)


def only_armature() -> bpy.types.Object:
    """Of the file that is open."""
    (armature,) = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
    return armature


def prompts_come_and_go(armature: bpy.types.Object) -> bool:
    """By the buttons of the list."""
    bpy.context.view_layer.objects.active = armature
    count = len(armature.kinograd.prompts)
    bpy.ops.kinograd.prompt_add()
    added = len(armature.kinograd.prompts) == count + 1
    for _ in range(count + 1):
        bpy.ops.kinograd.prompt_remove()
    return added and len(armature.kinograd.prompts) == 0


class Stub(BaseHTTPRequestHandler):
    """A server that is none."""

    def do_GET(self) -> None:
        """What its path says."""
        answers = {"/capabilities": (200, b'{"models": [{"id": "m", "supported_constraints": []}]}')}
        status, body = answers.get(self.path, (500, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def judge_network(folder: Path) -> None:
    """Servers that are not there, want a token, or must not be asked."""
    chosen, armature = stage.preferences(), stage.stand(FIGURES[0], folder)
    running = stage.part("session").connect(bpy.context).url
    chosen.where = "OTHER"
    for address, words in {
        "http://127.0.0.1:9": ("no server answers at http://127.0.0.1:9",),
        "ftp://127.0.0.1": ("“ftp://127.0.0.1” is no address",),
        "http://192.0.2.1:8000": ("http://192.0.2.1:8000 is another machine, and Blender is offline",),
    }.items():
        chosen.url = address
        refusal(address, *words)
    chosen.url = running
    armature.kinograd.seconds = 1.0
    check("a server that runs already", stage.make() is not None, running)
    with HTTPServer(("127.0.0.1", 0), Stub) as stub:
        threading.Thread(target=stub.serve_forever, daemon=True).start()
        chosen.url = f"http://127.0.0.1:{stub.server_port}"
        refusal("a server without our constraints", "takes no", "root_path")
        stub.shutdown()
    chosen.where = "LOCAL"
    bpy.ops.kinograd.server_stop()
    session = stage.part("session")
    check("stopped", session.current.server is None and not bpy.ops.kinograd.server_stop.poll())
    command, chosen.command = chosen.command, str(folder / "nothing")
    refusal("a command that is not there", "nothing” is no program that can be run")
    chosen.command = command
    arguments, chosen.arguments = chosen.arguments, "--model nowhere"
    refusal("a server that does not start", "the server ended (1)", "nowhere")
    chosen.arguments = arguments


def main() -> None:
    """All of it."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    kinograd, *further = sys.argv[1:]
    print(f"Blender {bpy.app.version_string}")
    check("valid by Blender's own validator, and installed", stage.install().exists())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bodies(kinograd, folder)
        judge_file(folder)
        chosen = stage.preferences()
        chosen.command, chosen.arguments = str(Path(kinograd).resolve()), shlex.join(further)
        check("server started", bpy.ops.kinograd.server_start() == {"FINISHED"})
        answers = stage.Answers()
        for figure in FIGURES:
            judge_figure(figure, folder, answers)
        judge_panels(folder)
        judge_path(folder)
        judge_hand(FIGURES[0], folder)
        judge_hand(FIGURES[4], folder)
        judge_poses(folder)
        judge_box(folder)
        judge_modal(folder)
        judge_errors(folder)
        judge_network(folder)
        process = stage.part("session").current.server
        bpy.ops.preferences.addon_disable(module=stage.MODULE)
        check("disabled: no server is left", process is None and not hasattr(bpy.types.Object, "kinograd"))
    print(f"{len(failed)} wrong")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
