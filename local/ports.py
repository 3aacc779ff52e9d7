"""Free TCP ports on 127.0.0.1."""

from __future__ import annotations

import errno
import secrets
import socket
import threading

HOST = "127.0.0.1"
#: Below what kernels give to outgoing connections (Linux from 32768 on, macOS from 49152 on): any client could take one
#: of those between a call here and the server's own bind, seconds later when the server is a JVM.
PORTS = range(20_000, 32_768)
_ATTEMPTS = 200
_given: set[int] = set()
_lock = threading.Lock()


def free_port(*, following: int = 0) -> int:
    """Return a port that nobody listens on, with `following` more free ones directly after it.

    It is drawn from `PORTS`, so two runs side by side hardly ever get the same; this process never gives a port out
    twice. Between this call and the server's own bind another server could still take it: ask right before the start.

    Raises:
        OSError: no such ports were found.
    """
    with _lock:
        for _ in range(_ATTEMPTS):
            port = _try_ports(following)
            if port is not None:
                return port
    raise OSError(errno.EADDRINUSE, f"no {following + 1} free ports in a row on {HOST}")


def _try_ports(following: int) -> int | None:
    held: list[socket.socket] = []
    try:
        port = secrets.choice(PORTS)
        wanted = range(port, port + 1 + following)
        for number in wanted:
            bound = _bind(number)
            if bound is None:
                return None
            held.append(bound)
        if not _given.isdisjoint(wanted):
            return None
        _given.update(wanted)
        return port
    finally:
        for each in held:
            each.close()


def _bind(port: int) -> socket.socket | None:
    """Bind without SO_REUSEADDR, so that a port with connections still fading away is not taken."""
    if port > 65_535:
        return None
    candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        candidate.bind((HOST, port))
    except OSError as error:
        candidate.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        return None
    return candidate
