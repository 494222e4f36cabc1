"""A server that runs for as long as a block of code."""

import json
import signal
import subprocess


class Served:
    """`kinograd serve` of a binary on a free port; `url` says where."""

    def __init__(self, command):
        self.command = [command[0], "serve", "--port", "0", "--json", *command[1:]]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        document = ""
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"{' '.join(self.command)} ended with {self.process.wait()}")
            document += line
            try:
                self.url = json.loads(document)["url"]
                return self
            except json.JSONDecodeError:
                continue

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)
