"""animsmith, a linter of game animations, as a second opinion on our GLB files: seams, drift and hygiene.

    python judge.py ANIMSMITH CONVERT CLIP.bvh…

ANIMSMITH is the crate of that name's program (MIT or Apache-2.0), CONVERT is kinograd-formats' example `convert`. Every
clip is written in place and with a root bone, each as it is and cut short. What animsmith measures of a clip in place
must agree with `extras.loop` of its animation: poses meet within 2 cm, and no joint's velocity jumps by more than a
walking foot's does from frame to frame. Travel must be where we say that it is, and nothing else may be wrong with the
tracks. Prints a line a case; exits with 1 where one is wrong.
"""

import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

# Keys at the first pose and again at the end are what makes a loop of ours; tracks that stand still are kept.
ALLOWED = {"duplicate-loop-endpoint", "constant-track"}
SEAMS = {"loop-closure", "loop-seam", "loop-seam-vel", "loop-seam-rot"}
CAPS = """
[checks.loop-closure]
max_position_delta_m = 0.02
max_rotation_delta_deg = 3.0
[checks.loop-seam-vel]
max_velocity_delta_mps = 0.5
[checks.loop-seam-rot]
max_angular_velocity_delta_degps = 90.0
"""
FORMS = {
    "in place": (["--root-motion", "in-place", "--names", "ue5"], "gameplay"),
    "root bone, Unreal": (["--root-motion", "extract", "--names", "ue5"], "animation"),
    "root bone, Mixamo, A-pose": (["--root-motion", "extract", "--names", "mixamo", "--rest-pose", "a"], "animation"),
}


def animation(path: Path) -> dict:
    """The animation of a GLB, as JSON."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length])["animations"][0]


def findings(program: str, path: Path, contract: str) -> set[str]:
    """Checks of animsmith that an animation fails, by their names."""
    config = path.with_suffix(".toml")
    config.write_text(f"[clips.motion]\n{contract}\n{CAPS}")
    arguments = [program, "lint", "--config", config, "--format", "json", path]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if not done.stdout:
        sys.exit(f"{path.name}: {done.stderr}")
    checks = json.loads(done.stdout)["files"][0]["checks"]
    return {
        check["check_id"]
        for check in checks
        if any(finding["severity"] in {"error", "warning"} for finding in check.get("findings", []))
    } - ALLOWED


def cut(clip: Path, folder: Path) -> Path:
    """The clip without its last quarter."""
    lines = clip.read_text(encoding="latin-1").splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("Frames:"))
    kept = int(lines[at].split()[1]) * 3 // 4
    lines[at] = f"Frames: {kept}"
    path = folder / f"{clip.stem} cut.bvh"
    path.write_text("\n".join(lines[: at + 2 + kept]) + "\n", encoding="latin-1")
    return path


def main() -> None:
    """All cases."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, convert, *clips = sys.argv[1:]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = [Path(clip) for clip in clips]
        for clip in [*whole, *(cut(clip, Path(folder)) for clip in whole)]:
            for form, (flags, owner) in FORMS.items():
                path = Path(folder) / "clip.glb"
                subprocess.run([convert, clip, path, "--retarget", "yes", *flags], check=True, capture_output=True)
                ours = animation(path).get("extras", {}).get("loop", False)
                found = findings(program, path, f'movement_owner_xz = "{owner}"')
                notes = [f"loops: {ours}"]
                if owner == "gameplay":
                    seams = findings(program, path, f'loop = true\nmovement_owner_xz = "{owner}"') & SEAMS
                    notes.append("animsmith's seam: " + (", ".join(sorted(seams)) or "closed"))
                    if ours == bool(seams):
                        found.add("extras.loop")
                wrong += bool(found)
                line = "WRONG" if found else "ok   "
                print(line, f"{clip.name}, {form}:", "; ".join([*sorted(found), *notes]), flush=True)
    print(f"{wrong} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
