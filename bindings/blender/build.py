"""Makes the extension's zip, which Blender installs.

    python bindings/blender/build.py [FOLDER]

The same as `blender --command extension build`, without Blender and to the byte the same each time.
"""

import sys
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "kinograd_blender"
LICENSE = HERE.parent.parent / "LICENSE-MIT"


def build(folder: Path) -> Path:
    """Writes `kinograd-VERSION.zip` into a folder."""
    manifest = tomllib.loads((PACKAGE / "blender_manifest.toml").read_text())
    files = {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".toml")}
    files["LICENSE"] = LICENSE
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{manifest['id']}-{manifest['version']}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name.replace("\\", "/"), (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            bundle.writestr(entry, files[name].read_bytes())
    return target


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
