"""`kinograd serve` under load: many requests at once, many in a row, clients that go; memory stays flat.

python tests/mmcp/load.py target/release/kinograd [ARGUMENT...]
"""

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from served import Served

AT_ONCE = 200
IN_A_ROW = 1000
GONE = 50
FLAT_MB = 32


def ask(url, body=None):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            answer.read()
            return answer.status, None
    except urllib.error.HTTPError as error:
        error.read()
        return error.code, error.headers.get("Retry-After")


def clip(url):
    with urllib.request.urlopen(f"{url}/capabilities") as answer:
        spec = json.load(answer)["models"][0]
    return json.dumps(
        {
            "protocol_version": "1.2",
            "model": spec["id"],
            "skeleton": spec["canonical_skeleton"],
            "segments": [{"type": "text", "prompt": "a person walks forward", "duration_frames": 20}],
            "options": {"seed": 1, "diffusion_steps": 1},
        }
    ).encode()


def go(url, body):
    """Sends a request and closes the connection at once."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = f"POST /generate HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def main():
    with Served(sys.argv[1:]) as served:
        body = clip(served.url)
        # The graphs and the allocator's pools are there after a few clips.
        for _ in range(5):
            assert ask(f"{served.url}/generate", body)[0] == 200
        before = served.resident_mb()
        started = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as clients:
            answers = list(clients.map(lambda _: ask(f"{served.url}/generate", body), range(AT_ONCE)))
        statuses = Counter(status for status, _ in answers)
        assert set(statuses) <= {200, 503}, statuses
        assert statuses[200] > 0, statuses
        assert all(int(retry) > 0 for status, retry in answers if status == 503)
        print(f"{AT_ONCE} at once: {dict(statuses)} in {time.monotonic() - started:.1f} s; 503 with Retry-After")
        started = time.monotonic()
        statuses = Counter(ask(f"{served.url}/capabilities")[0] for _ in range(IN_A_ROW))
        assert statuses == {200: IN_A_ROW}, statuses
        print(f"{IN_A_ROW} in a row: {dict(statuses)} in {time.monotonic() - started:.1f} s")
        for _ in range(GONE):
            go(served.url, body)
        while ask(f"{served.url}/generate", body)[0] != 200:
            time.sleep(0.2)
        after = served.resident_mb()
        print(f"{GONE} clients gone; memory {before:.0f} MB before, {after:.0f} MB after")
        assert after - before < FLAT_MB, "memory grows"


if __name__ == "__main__":
    main()
