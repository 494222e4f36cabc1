"""The protocol's client: HTTP by the standard library."""

import ipaddress
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from .errors import KinogradError

TIMEOUT_SECS = 20.0
MAX_ANSWER_BYTES = 256 << 20


def is_local(url: str) -> bool:
    """Whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Progress:
    """How far a job is: 0 to 1, and whether its turn has come."""

    share: float
    is_running: bool


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An answer from elsewhere would get the token, and could be off this machine."""

    def redirect_request(self, *_: object) -> None:
        """None."""
        return


class Server:
    """A server, where it is and what it must be shown.

    `is_online`: whether Blender may use the network (`bpy.app.online_access`); this machine needs no leave. Every
    method raises `KinogradError` with the server's own words, or says that nobody answers.
    """

    def __init__(self, url: str, token: str = "", is_online: bool = False) -> None:
        url = url.strip().rstrip("/")
        try:
            parts = urlsplit(url)
            has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            has_host = False
        if not has_host or parts.scheme not in ("http", "https") or parts.username is not None or parts.query:
            raise KinogradError(f"“{url}” is no address of a server, such as http://127.0.0.1:8000")
        if not is_local(url) and not is_online:
            raise KinogradError(
                f"{url} is another machine, and Blender is offline: allow online access in the preferences"
            )
        token = token.strip()
        if not token.isascii() or not token.isprintable():
            raise KinogradError("the token of the server may hold visible ASCII characters only")
        self.url, self.token = url, token
        handlers: list = [_NoRedirects()]
        if is_local(url):
            # A proxy of the environment does not know this machine.
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def model(self) -> dict:
        """What the server says of its first model."""
        _, _, data = self._ask("GET", self.url + "/capabilities")
        models = _json(data).get("models")
        if not isinstance(models, list) or not models or not isinstance(models[0], dict) or "id" not in models[0]:
            raise KinogradError(f"{self.url} does not speak MMCP: its capabilities name no model")
        return models[0]

    def start(self, body: dict) -> str:
        """Hands a request in as a job; returns where it is."""
        data = json.dumps(body, allow_nan=False).encode()
        headers = {"Content-Type": "application/json", "Prefer": "respond-async", "Accept": "model/gltf-binary"}
        status, answer, _ = self._ask("POST", self.url + "/generate", data, headers)
        place = urljoin(self.url + "/", answer.get("Location", ""))
        if status != 202 or not place.startswith(self.url + "/"):
            raise KinogradError(f"{self.url} made no job of the request (HTTP {status})")
        return place

    def look(self, job: str) -> Progress | bytes:
        """How far a job is, or the clip."""
        status, _, data = self._ask("GET", job, headers={"Accept": "model/gltf-binary"})
        if status != 202:
            return data
        said = _json(data)
        share = said.get("progress")
        share = float(share) if isinstance(share, int | float) else 0.0
        return Progress(min(max(share, 0.0), 1.0), said.get("status") == "running")

    def give_up(self, job: str) -> None:
        """Ends a job."""
        self._ask("DELETE", job)

    def _ask(
        self, method: str, url: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, object, bytes]:
        request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
        if self.token:
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECS) as answer:
                data = answer.read(MAX_ANSWER_BYTES + 1)
                if len(data) > MAX_ANSWER_BYTES:
                    raise KinogradError(f"the answer of {self.url} is larger than {MAX_ANSWER_BYTES >> 20} MiB")
                return answer.status, answer.headers, data
        except urllib.error.HTTPError as error:
            with error:
                raise KinogradError(f"{self.url} refuses: {_words(error)}") from error
        except urllib.error.URLError as error:
            raise KinogradError(f"no server answers at {self.url}: {error.reason}") from error
        except (OSError, ValueError) as error:
            raise KinogradError(f"the connection to {self.url} broke off: {error}") from error
        except Exception as error:
            # http.client has errors of its own for answers that are no HTTP.
            raise KinogradError(f"{self.url} does not speak HTTP: {error!r}") from error


def _json(data: bytes) -> dict:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def _words(error: urllib.error.HTTPError) -> str:
    """The server's words, or the status where it says nothing."""
    try:
        said = _json(error.read(1 << 16)).get("error")
    except OSError:
        said = None
    message = said.get("message") if isinstance(said, dict) else None
    words = message if isinstance(message, str) and message else f"HTTP {error.code} {error.reason}"
    retry = error.headers.get("Retry-After") if error.headers else None
    return f"{words} (try again in {retry} s)" if error.code == 503 and retry else words
