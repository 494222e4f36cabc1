"""Judges the tarball that `pack.py` made: `package.py FILE`."""

import json
import re
import sys
import tarfile
from pathlib import Path, PurePosixPath

REPOSITORY = Path(__file__).resolve().parents[3]


def read(path: Path) -> dict[str, bytes]:
    """Files of the package by path."""
    with tarfile.open(path) as bundle:
        names = bundle.getnames()
        assert len(names) == len(set(names)), "a path is there twice"
        assert all(name.startswith("package/") for name in names), names
        return {name.removeprefix("package/"): bundle.extractfile(name).read() for name in names}


def check_metas(files: dict[str, bytes]) -> int:
    """Every file and folder that Unity imports has a `.meta` with a GUID of its own, and nothing else has one."""
    plain = {path for path in files if not path.endswith(".meta")}
    folders = {str(parent) for path in plain for parent in PurePosixPath(path).parents if str(parent) != "."}
    shown = {path for path in plain | folders if "~" not in path}
    metas = {path.removesuffix(".meta") for path in files if path.endswith(".meta")}
    assert metas == shown, metas ^ shown
    guids = [re.search(r"^guid: ([0-9a-f]{32})$", files[f"{path}.meta"].decode(), re.MULTILINE)[1] for path in metas]
    assert len(guids) == len(set(guids)), "two files have one GUID"
    return len(guids)


def check_guids(files: dict[str, bytes]) -> None:
    """What scenes and assemblies of users refer to keeps its GUID, whatever `pack.py` becomes."""
    kept = {
        "Runtime/Kinograd.asmdef": "b748884568abb869b8f80ffcbef5d7a1",
        "Editor/Kinograd.Editor.asmdef": "126df74e638faef6b3b1df90eca1e0d8",
    }
    for path, guid in kept.items():
        assert f"guid: {guid}" in files[f"{path}.meta"].decode(), f"the GUID of {path} changed"


def check_manifest(files: dict[str, bytes]) -> None:
    """Name, version and samples of `package.json`, and its version in the log of changes."""
    manifest = json.loads(files["package.json"])
    cargo = (REPOSITORY / "Cargo.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{manifest["version"]}"\n' in cargo, "the version is not that of the workspace"
    assert f"## {manifest['version']}" in files["CHANGELOG.md"].decode(), "CHANGELOG.md does not have the version"
    for sample in manifest["samples"]:
        assert any(path.startswith(f"{sample['path']}/") for path in files), f"no files of {sample}"
    for path in files:
        if path.endswith(".asmdef"):
            assert json.loads(files[path])["name"] == PurePosixPath(path).stem, path


def check_shared(files: dict[str, bytes]) -> int:
    """The files of `bindings/csharp` are there as they are."""
    shared = REPOSITORY / "bindings" / "csharp" / "Kinograd"
    sources = list(shared.rglob("*.cs"))
    for path in sources:
        assert files[f"Runtime/Kinograd/{path.relative_to(shared).as_posix()}"] == path.read_bytes(), path
    return len(sources)


def check_plain(files: dict[str, bytes]) -> int:
    """What Mono's tests run knows nothing of Unity: `Runtime/Kinograd` and `Runtime/Humanoid`."""
    plain = [
        path for path in files if path.startswith(("Runtime/Kinograd/", "Runtime/Humanoid/")) and path.endswith(".cs")
    ]
    for path in plain:
        assert b"using Unity" not in files[path], f"{path} uses Unity"
    return len(plain)


def main(path: Path) -> None:
    """Runs all checks."""
    files = read(path)
    metas, shared, plain = check_metas(files), check_shared(files), check_plain(files)
    check_guids(files)
    check_manifest(files)
    told = f"{len(files)} files, {metas} with metas, {shared} shared with C#, {plain} without Unity"
    print(f"package: {told}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
