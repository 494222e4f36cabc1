"""Runs the shell blocks of a guide as they are written, against a server of their own.

python tests/mmcp/guide.py target/release/kinograd docs/server.md
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from served import Served

HERE = "http://127.0.0.1:8000"


def main():
    binary, guide = sys.argv[1:]
    blocks = re.findall(r"^```sh\n(.*?)^```", Path(guide).read_text(), re.DOTALL | re.MULTILINE)
    commands = [block for block in blocks if "curl" in block]
    assert commands, f"{guide} has no commands"
    with Served([binary]) as served, tempfile.TemporaryDirectory() as folder:
        for block in commands:
            result = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.replace(HERE, served.url)],
                cwd=folder,
                capture_output=True,
                text=True,
            )
            assert result.returncode == 0, result.stderr
        clip = Path(folder, "clip.glb").read_bytes()
        assert clip[:4] == b"glTF", clip[:200]
        assert result.stdout.startswith("HTTP/1.1 202"), result.stdout
    print(f"{guide}: {len(commands)} blocks of commands, clip.glb of {len(clip)} bytes")


if __name__ == "__main__":
    main()
