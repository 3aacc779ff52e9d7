"""Reading settings from the environment, validated at the door."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from lambdas.common.errors import SettingError


def required(env: Mapping[str, str], name: str, meaning: str) -> str:
    """Value of ``name``; :class:`SettingError` when it is absent or empty."""
    value = env.get(name, "")
    if not value:
        raise SettingError(f"{name} is not set: {meaning}")
    return value


def one_of(env: Mapping[str, str], name: str, allowed: Sequence[str], *, default: str) -> str:
    """Value of ``name``, one of ``allowed``."""
    value = env.get(name) or default
    if value not in allowed:
        raise SettingError(f"{name} is {value!r}: allowed are {', '.join(allowed)}")
    return value


def matching(name: str, value: str, pattern: str, allowed: str) -> str:
    """``value`` when ``pattern`` matches all of it; otherwise an error that says what is ``allowed``."""
    if re.fullmatch(pattern, value) is None:
        raise SettingError(f"{name} is {value!r}: {allowed}")
    return value


def seconds(env: Mapping[str, str], name: str, *, default: float, low: float, high: float) -> float:
    """Value of ``name`` as a number of seconds from ``low`` to ``high``."""
    return number(env, name, default=default, low=low, high=high, what="a number of seconds")


def number(
    env: Mapping[str, str], name: str, *, default: float, low: float, high: float, what: str = "a number"
) -> float:
    """Value of ``name`` as a number from ``low`` to ``high``; ``what`` it is, for the message."""
    text = env.get(name) or str(default)
    allowed = f"{what} from {low:g} to {high:g}"
    try:
        value = float(text)
    except ValueError as error:
        raise SettingError(f"{name} is {text!r}: allowed is {allowed}") from error
    if not low <= value <= high:  # false for NaN too
        raise SettingError(f"{name} is {text!r}: allowed is {allowed}")
    return value


def whole(env: Mapping[str, str], name: str, *, default: int, low: int, high: int) -> int:
    """Value of ``name`` as a whole number from ``low`` to ``high``."""
    text = env.get(name) or str(default)
    if re.fullmatch(r"[0-9]{1,9}", text) is None or not low <= int(text) <= high:
        raise SettingError(f"{name} must be a whole number from {low} to {high}, got {text!r}")
    return int(text)


def endpoint(name: str, value: str) -> str:
    """``value`` as ``scheme://host[:port]``, without a closing slash.

    Plain http carries results and signatures readable over the wire, so only a loopback host may use it.
    """
    allowed = "allowed is https://host[:port], or http:// to a loopback host"
    try:
        url = urlsplit(value)
        host, _ = url.hostname, url.port  # reading the port validates it
    except ValueError as error:
        raise SettingError(f"{name} is {value!r}: {allowed}") from error
    if not host or not re.fullmatch(r"[!-~]+", value) or "@" in url.netloc:
        raise SettingError(f"{name} is {value!r}: {allowed}")
    if url.path not in ("", "/") or url.query or url.fragment:
        raise SettingError(f"{name} is {value!r}: {allowed}, without a path or query")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise SettingError(f"{name} is {value!r}: {allowed}")
    return f"{url.scheme}://{url.netloc}"


def region(env: Mapping[str, str]) -> str:
    """Region that requests are signed for: ``AWS_REGION`` or else ``AWS_DEFAULT_REGION``."""
    value = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or ""
    return matching(
        "AWS_REGION (or AWS_DEFAULT_REGION)",
        value,
        r"[a-z]{2}(-[a-z]+)+-\d+",
        "allowed is a region's name, like us-east-1",
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: who it resolves to is not ours to trust
        return False
