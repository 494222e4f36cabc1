"""The extension as a package: its manifest, its zip, and what its parts may import."""

from __future__ import annotations

import ast
import sys
import tomllib
import zipfile
from pathlib import Path

import build
import pytest

PACKAGE = Path(build.PACKAGE)
# What Blender ships beside the standard library.
SHIPPED = {"numpy"}


def imports(path: Path) -> set[str]:
    """Top names of the modules that a file imports from elsewhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_parts_import_what_they_may(path: Path) -> None:
    allowed = set(sys.stdlib_module_names) | SHIPPED
    if path.parent.name != "core":
        allowed |= {"bpy", "mathutils"}
    assert imports(path) <= allowed


def test_the_manifest_is_what_blender_takes() -> None:
    manifest = tomllib.loads((PACKAGE / "blender_manifest.toml").read_text())
    cargo = tomllib.loads((build.HERE.parent.parent / "Cargo.toml").read_text())
    assert manifest["schema_version"] == "1.0.0"
    assert manifest["version"] == cargo["workspace"]["package"]["version"]
    assert manifest["license"] == ["SPDX:MIT"]
    assert set(manifest["permissions"]) == {"network"}
    for text in (manifest["tagline"], *manifest["permissions"].values()):
        assert len(text) <= 64
        assert text[-1].isalnum()


def test_the_zip_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    bundle = build.build(tmp_path / "out")
    data = bundle.read_bytes()
    with zipfile.ZipFile(bundle) as opened:
        names = opened.namelist()
    assert {"blender_manifest.toml", "__init__.py", "core/job.py", "LICENSE"} <= set(names)
    assert not [name for name in names if "pycache" in name]
    assert build.build(tmp_path / "out").read_bytes() == data
