"""Packs every crate that is published, and builds and tests what was packed.

python tests/package/judge.py FOLDER

Packages are unpacked into a workspace of their own in FOLDER, where each takes the others that were packed with it.
Those that bring their tests along are tested there, the rest is compiled as what depends on it would compile it.
`kinograd-testkit` and the goldens stay in the repository and are lent to the tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# With their own tests inside.
TESTED = ["kinograd-files", "kinograd-diffusion", "kinograd-motion", "onnx-grad"]
# Bevy takes longer to compile than everything else together; .ci/run builds these from the repository.
LEFT_OUT = ["kinograd-bevy", "kinograd-viewer"]
TESTKIT = "kinograd-testkit"
# What a registry takes.
MOST_BYTES = 10 * 1024 * 1024
# What every package has.
FILES = {"Cargo.toml", "README.md", "LICENSE-MIT", "LICENSE-APACHE"}


def cargo(*arguments: str | Path) -> None:
    """Runs cargo; a failure ends the run."""
    print("$ cargo", *arguments, flush=True)
    subprocess.run(["cargo", *map(str, arguments)], check=True)


def published() -> list[str]:
    """Crates that are published, by the names of their folders."""
    crates = []
    for manifest in sorted(ROOT.glob("crates/*/Cargo.toml")):
        package = tomllib.loads(manifest.read_text())["package"]
        if package.get("publish", True):
            crates.append(package["name"])
    return crates


def unpack(crate: str, version: str, packed: Path, into: Path) -> int:
    """Unpacks a crate, checks what is in it, and returns its size in bytes."""
    name = f"{crate}-{version}"
    archive = packed / f"{name}.crate"
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    folder = into / crate
    shutil.rmtree(folder, ignore_errors=True)
    (into / name).rename(folder)
    missing = [file for file in FILES if not (folder / file).is_file() or (folder / file).is_symlink()]
    assert not missing, f"{crate}: not in the package: {missing}"
    assert "MIT" in (folder / "LICENSE-MIT").read_text(), crate
    package = tomllib.loads((folder / "Cargo.toml").read_text())["package"]
    for key in ("description", "license", "rust-version", "readme", "keywords", "categories"):
        assert package.get(key), f"{crate}: no {key}"
    size = archive.stat().st_size
    assert size < MOST_BYTES, f"{crate}: {size} bytes"
    return size


def workspace(folder: Path, crates: list[str]) -> None:
    """Makes a workspace of the unpacked crates and the lent test kit."""
    text = (ROOT / "Cargo.toml").read_text()
    members = [f"crates/{crate}" for crate in (*crates, TESTKIT) if crate not in LEFT_OUT]
    text = re.sub(r"^members = .*$", f"members = {members}".replace("'", '"'), text, flags=re.MULTILINE)
    text = re.sub(r"^default-members = \[.*?^\]$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^\[profile\.viewer.*?(?=^\[|\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
    text += "\n[patch.crates-io]\n"
    text += "".join(f'{crate} = {{ path = "crates/{crate}" }}\n' for crate in crates if crate not in LEFT_OUT)
    (folder / "Cargo.toml").write_text(text)
    shutil.copyfile(ROOT / "Cargo.lock", folder / "Cargo.lock")
    shutil.copyfile(ROOT / "rust-toolchain.toml", folder / "rust-toolchain.toml")
    shutil.copytree(ROOT / "crates" / TESTKIT / "src", folder / "crates" / TESTKIT / "src")
    shutil.copyfile(ROOT / "crates" / TESTKIT / "Cargo.toml", folder / "crates" / TESTKIT / "Cargo.toml")
    (folder / "tests").mkdir()
    (folder / "tests/golden").symlink_to(ROOT / "tests/golden")
    for crate in TESTED:
        lends = "dev-dependencies" in tomllib.loads((ROOT / "crates" / crate / "Cargo.toml").read_text())
        if lends:
            with (folder / "crates" / crate / "Cargo.toml").open("a") as manifest:
                manifest.write(f'\n[dev-dependencies.{TESTKIT}]\npath = "../{TESTKIT}"\n')


def main() -> None:
    """Packs, unpacks, compiles, tests."""
    folder = Path(sys.argv[1]).resolve()
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
    crates = published()
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    packages = [argument for crate in crates for argument in ("-p", crate)]
    os.chdir(ROOT)
    cargo("package", "--no-verify", "--allow-dirty", "--locked", *packages)
    shutil.rmtree(folder / "crates", ignore_errors=True)
    shutil.rmtree(folder / "tests", ignore_errors=True)
    (folder / "crates").mkdir(parents=True)
    sizes = {crate: unpack(crate, version, target / "package", folder / "crates") for crate in crates}
    for crate, size in sizes.items():
        print(f"{crate:<20}{size / 1024:>8.1f} KiB")
    workspace(folder, crates)
    os.environ["CARGO_TARGET_DIR"] = str(folder / "target")
    os.chdir(folder)
    cargo("test", "--release", *(argument for crate in TESTED for argument in ("-p", crate)))
    if "--tests-only" not in sys.argv:
        cargo("check", "--release", "--workspace", "--exclude", TESTKIT)


if __name__ == "__main__":
    main()
