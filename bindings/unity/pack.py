"""Makes the Unity package: a tarball that Unity's Package Manager installs.

    python bindings/unity/pack.py [FOLDER] [--library TARGET=FILE]... [--model FOLDER]

The C# files of `bindings/csharp` go into `Runtime/Kinograd`, libraries into `Plugins`, the model into `Models~`. Every
file gets a `.meta` whose GUID follows from its path alone, so that references to it hold in later versions. The same
files make the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
FOLDERS = ("Runtime", "Editor", "Samples~")
FILES = ("package.json", "README.md", "CHANGELOG.md")
# The folder of a plugin, and its name there, its platform and processor as Unity calls them.
TARGETS = {
    "x86_64-unknown-linux-gnu": ("Linux/x86_64", "libkinograd_capi.so", "Linux64", "Linux", "x86_64"),
    "x86_64-pc-windows-msvc": ("Windows/x86_64", "kinograd_capi.dll", "Win64", "Windows", "x86_64"),
    "aarch64-apple-darwin": ("macOS/arm64", "libkinograd_capi.dylib", "OSXUniversal", "OSX", "ARM64"),
    "x86_64-apple-darwin": ("macOS/x86_64", "libkinograd_capi.dylib", "OSXUniversal", "OSX", "x86_64"),
}


def guid(name: str, path: str) -> str:
    """The GUID of a path in the package of this name: 32 hexadecimal digits."""
    return hashlib.md5(f"{name}/{path}".encode(), usedforsecurity=False).hexdigest()


def plugin_importer(target: str) -> str:
    """What Unity keeps of a native library: one platform, and the editor on it."""
    _, _, platform, system, processor = TARGETS[target]
    return f"""PluginImporter:
  serializedVersion: 2
  isPreloaded: 0
  isOverridable: 0
  platformData:
  - first:
      Any:
    second:
      enabled: 0
      settings: {{}}
  - first:
      Editor: Editor
    second:
      enabled: 1
      settings:
        CPU: {processor}
        DefaultValueInitialized: true
        OS: {system}
  - first:
      Standalone: {platform}
    second:
      enabled: 1
      settings:
        CPU: {processor}
"""


def meta(name: str, path: str, *, is_folder: bool, target: str | None) -> str:
    """The `.meta` of a file or folder."""
    head = f"fileFormatVersion: 2\nguid: {guid(name, path)}\n"
    if is_folder:
        return head + "folderAsset: yes\nDefaultImporter:\n  externalObjects: {}\n"
    if target:
        return head + plugin_importer(target)
    importers = {".cs": "MonoImporter", ".asmdef": "AssemblyDefinitionImporter", ".md": "TextScriptImporter"}
    importer = "PackageManifestImporter" if path == "package.json" else importers.get(Path(path).suffix)
    return head + f"{importer or 'DefaultImporter'}:\n  externalObjects: {{}}\n"


def is_hidden(path: str) -> bool:
    """Whether Unity imports nothing of it: a part that ends in `~`."""
    return any(part.endswith("~") for part in PurePosixPath(path).parts)


def contents(libraries: dict[str, Path], model: Path | None) -> tuple[dict[str, bytes], dict[str, str]]:
    """Files of the package by path, and the targets of those that are libraries."""
    files = {name: (HERE / name).read_bytes() for name in FILES}
    files["LICENSE.md"] = b"".join((REPOSITORY / name).read_bytes() for name in ("LICENSE-MIT", "LICENSE-APACHE"))
    for folder in FOLDERS:
        for path in (HERE / folder).rglob("*"):
            if path.suffix in (".cs", ".asmdef"):
                files[path.relative_to(HERE).as_posix()] = path.read_bytes()
    shared = REPOSITORY / "bindings" / "csharp" / "Kinograd"
    for path in shared.rglob("*.cs"):
        files[f"Runtime/Kinograd/{path.relative_to(shared).as_posix()}"] = path.read_bytes()
    targets = {}
    for target, path in libraries.items():
        place = f"Plugins/{TARGETS[target][0]}/{TARGETS[target][1]}"
        files[place], targets[place] = path.read_bytes(), target
    if model:
        for path in model.rglob("*"):
            if path.is_file():
                files[f"Models~/{model.name}/{path.relative_to(model).as_posix()}"] = path.read_bytes()
    return files, targets


def with_metas(name: str, files: dict[str, bytes], targets: dict[str, str]) -> dict[str, bytes]:
    """The files and a `.meta` beside each that Unity imports, and beside each folder of them."""
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents if str(parent) != "."}
    metas = {}
    for path in [*files, *folders]:
        if not is_hidden(path):
            text = meta(name, path, is_folder=path in folders, target=targets.get(path))
            metas[f"{path}.meta"] = text.encode()
    return files | metas


def build(folder: Path, libraries: dict[str, Path], model: Path | None) -> Path:
    """Writes `NAME-VERSION.tgz` into a folder."""
    manifest = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    files = with_metas(manifest["name"], *contents(libraries, model))
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as bundle:
        for path in sorted(files):
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size, entry.mode = len(files[path]), 0o644
            bundle.addfile(entry, io.BytesIO(files[path]))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{manifest['name']}-{manifest['version']}.tgz"
    target.write_bytes(gzip.compress(plain.getvalue(), mtime=0))
    return target


def library(text: str) -> tuple[str, Path]:
    """A target and its library, from `TARGET=FILE`."""
    target, _, path = text.partition("=")
    if target not in TARGETS:
        raise argparse.ArgumentTypeError(f"`{target}` is none of {', '.join(TARGETS)}")
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path}")
    return target, Path(path)


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description="Makes the Unity package.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    parser.add_argument("--library", action="append", type=library, default=[], metavar="TARGET=FILE")
    parser.add_argument("--model", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    if asked.model and not (asked.model / "model.json").is_file():
        parser.error(f"{asked.model} is no model package: it has no model.json")
    print(build(asked.folder, dict(asked.library), asked.model))


if __name__ == "__main__":
    main()
