"""The webhook's address, from Secrets Manager. It is a secret: no message and no log line holds it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypedDict
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.alert_queue import LaterError
from lambdas.common.settings import is_loopback

#: Seconds after which the secret is read again: a changed address is used by then, at the latest.
MAX_AGE = 300.0
_ALLOWED = "write https://... into it, or a JSON object with the address as `url`"


class SecretAnswer(TypedDict, total=False):
    """The part of GetSecretValue's answer that is read."""

    SecretString: str


class SecretsClient(Protocol):
    """The part of boto3's Secrets Manager client that is used."""

    def get_secret_value(self, *, SecretId: str) -> SecretAnswer:
        """The current version of a secret, or an error."""
        ...


@dataclass
class SecretAddress:
    """Reads the address and keeps it for :data:`MAX_AGE` seconds. ``now`` answers seconds of a monotonic clock."""

    client: SecretsClient
    arn: str
    now: Callable[[], float]
    _address: str | None = field(default=None, repr=False)
    _read_at: float = 0.0

    def get(self) -> str:
        """The address. Raises :class:`LaterError` when the secret cannot be read or holds none."""
        if self._address is None or self.now() - self._read_at > MAX_AGE:
            return self.read()
        return self._address

    def read(self) -> str:
        """The address as the secret holds it now."""
        self._address = None
        try:
            text = self.client.get_secret_value(SecretId=self.arn).get("SecretString", "")
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "no code")
            raise LaterError(f"Secrets Manager refused the secret of alerts.webhook.secret_arn: {code}") from None
        except BotoCoreError as error:
            raise LaterError(f"Secrets Manager did not answer: {type(error).__name__}") from None
        self._address, self._read_at = _address(text), self.now()
        return self._address


def _address(text: str) -> str:
    """The https address in a secret's text. Plain http, which anybody on the way can read, is for a loopback host only.

    No error quotes the text, nor names one as its cause that does.
    """
    address = text.strip()
    if address.startswith("{"):
        try:
            found = json.loads(address).get("url")
        except ValueError:
            found = None
        address = found.strip() if isinstance(found, str) else ""
    try:
        url = urlsplit(address)
        host, _ = url.hostname, url.port  # reading the port validates it
    except ValueError:
        host, url = None, urlsplit("")
    if not host or re.fullmatch(r"[!-~]+", address) is None or "@" in url.netloc:
        raise LaterError(f"the secret of alerts.webhook.secret_arn holds no address: {_ALLOWED}")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise LaterError(f"the address in the secret of alerts.webhook.secret_arn is not https: {_ALLOWED}")
    return address
