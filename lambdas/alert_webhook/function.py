"""Posting one alert to a webhook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import urllib3

from lambdas.alert_webhook.secret import SecretAddress
from lambdas.common.alert_queue import Alert, LaterError, RefusedError

#: Seconds to connect, and to wait for the answer's head.
_CONNECT, _READ = 3.0, 5.0
#: Seconds that an alert may take: two posts, between which the secret is read again.
LONGEST_DELIVERY = 2 * (_CONNECT + _READ) + 9.0
_TOO_MANY = 429


def _pool() -> urllib3.PoolManager:
    """Certificates are checked, which is urllib3's default. The queue tries again, so the pool does not."""
    return urllib3.PoolManager(timeout=urllib3.Timeout(connect=_CONNECT, read=_READ), retries=False)


@dataclass(frozen=True)
class Webhook:
    """Posts an alert, in the form of ``body``, to the address in the secret."""

    address: SecretAddress
    body: Callable[[Alert], bytes]
    pool: urllib3.PoolManager = field(default_factory=_pool)

    def deliver(self, alert: Alert) -> None:
        """Returns when the webhook answered 2xx.

        Raises :class:`LaterError` for 429, 5xx and no answer, and :class:`RefusedError` for every other one. A redirect
        is not followed: the alert would go to an address that nobody has put into the secret. The address may have
        changed since it was read, so it is read once more before an alert is given up.
        """
        body, address = self.body(alert), self.address.get()
        status = self._post(address, body)
        if _is_final(status) and (changed := self.address.read()) != address:
            status = self._post(changed, body)
        if 200 <= status < 300:
            return
        if not _is_final(status):
            raise LaterError(f"the webhook answered {status}")
        raise RefusedError(f"the webhook answered {status}: {_advice(status)}")

    def _post(self, address: str, body: bytes) -> int:
        """Status of the answer, whose body is not read: it says nothing that decides, and may be of any size."""
        try:
            answer = self.pool.request(
                "POST",
                address,
                body=body,
                headers={"Content-Type": "application/json"},
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:  # its text holds the address
            raise LaterError(f"no answer from the webhook: {type(error).__name__}") from None
        answer.close()
        return answer.status


def _is_final(status: int) -> bool:
    """Whether another try would be answered alike."""
    return status != _TOO_MANY and 300 <= status < 500


def _advice(status: int) -> str:
    if status < 400:
        return "a redirect is not followed; put the new address into the secret"
    return "check the address in the secret, and alerts.webhook.format"
