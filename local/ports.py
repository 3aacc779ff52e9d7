"""Free TCP ports on 127.0.0.1."""

from __future__ import annotations

import errno
import socket
import threading

HOST = "127.0.0.1"
_ATTEMPTS = 200
_given: set[int] = set()
_lock = threading.Lock()


def free_port(*, following: int = 0) -> int:
    """Return a port that nobody listens on, with `following` more free ones directly after it.

    The kernel chooses (bind to 0), so two runs side by side get different ones; this process never gives a
    port out twice. Between this call and the server's own bind another process could still take it: ask right
    before the start.

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
        first = _bind(0)
        if first is None:
            return None
        held.append(first)
        port: int = first.getsockname()[1]
        wanted = range(port, port + 1 + following)
        for number in wanted[1:]:
            held_too = _bind(number)
            if held_too is None:
                return None
            held.append(held_too)
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
