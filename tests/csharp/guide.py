"""Writes the programs that docs/csharp.md shows into a folder: `guide.py PAGE FOLDER`.

A program is a block of C# with a `Main`; a page without any is a mistake.
"""

import re
import sys
from pathlib import Path


def main(page: Path, folder: Path) -> None:
    """Writes `program0.cs` and so on."""
    blocks = re.findall(r"^```csharp\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    programs = [block for block in blocks if " Main(" in block]
    if not programs:
        sys.exit(f"{page}: no program")
    folder.mkdir(parents=True, exist_ok=True)
    for number, program in enumerate(programs):
        (folder / f"program{number}.cs").write_text(program, encoding="utf-8")
    print(f"{len(programs)} of {len(blocks)} blocks are programs")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
