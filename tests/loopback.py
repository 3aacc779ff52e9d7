"""Tests talk to the loopback only: an audit hook refuses every other address, whoever asks for it."""

from __future__ import annotations

import ipaddress


class OutsideError(AssertionError):
    """A test wants to reach an address outside of the loopback; the message names it."""


def refuse_other_addresses(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook of Python's sockets (table of audit events, ``socket.*``); raises OutsideError."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        # A path of a Unix socket, or none: the socket is connected already.
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            raise OutsideError(f"a test connects to {address[0]}: tests may reach 127.0.0.1, ::1 and localhost only")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr") and not _is_loopback(
        arguments[0]
    ):
        raise OutsideError(f"a test looks {arguments[0]!r} up: tests may reach 127.0.0.1, ::1 and localhost only")


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    # An empty name is what a server that listens on every address asks for.
    if not host or host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
