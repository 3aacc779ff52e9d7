"""The AWS services of the laptop run: moto server, one process for all of them."""

from __future__ import annotations

import sys
import threading
from typing import Any

import boto3
from botocore.config import Config

from local.launcher import module_environment
from local.ports import HOST, free_port
from local.processes import ManagedProcess, Supervisor, wait_until
from local.standins.rest import RestClient

ACCOUNT = "123456789012"  # moto's own
REGION = "us-east-1"

_NAME = "moto"
_START_SECONDS = 60.0
# No credentials of the user can get in: these stand in the environment of every child and handler.
_KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}  # not a secret


class Moto:
    """A running moto server; `start` makes one, the supervisor ends it. Its state lives and dies with it."""

    def __init__(self, process: ManagedProcess, client: RestClient, region: str) -> None:
        self.process = process
        self.region = region
        self._client = client
        self._session: Any = boto3.session.Session(
            aws_access_key_id=_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_KEYS["AWS_SECRET_ACCESS_KEY"],
            region_name=region,
        )
        self._lock = threading.Lock()

    @classmethod
    def start(cls, supervisor: Supervisor, *, region: str = REGION, wait: bool = True) -> Moto:
        """Start a server on a free port and wait until it answers.

        Args:
            supervisor: owns the process.
            region: of the clients and of `environment`.
            wait: False returns at once; call `wait_until_ready` then.

        Raises:
            ProcessDied: it ended; the message shows its log.
            WaitTimeout: no answer after 60 s.
        """
        port = free_port()
        process = supervisor.start(
            _NAME,
            [sys.executable, "-m", "local.standins.moto_server", "--host", HOST, "--port", str(port)],
            env={"PYTHONUNBUFFERED": "1", "AWS_DEFAULT_REGION": region, **_KEYS, **module_environment()},
        )
        moto = cls(process, RestClient(port, seconds=5), region)
        if wait:
            moto.wait_until_ready()
        return moto

    @property
    def endpoint(self) -> str:
        """The endpoint of every service, without a slash at the end."""
        return self._client.url

    def wait_until_ready(self) -> None:
        """Wait for the first answer; see `start` for the errors."""
        wait_until(
            lambda: self._client.probe("/moto-api/data.json") is not None,
            _START_SECONDS,
            "moto server",
            process=self.process,
        )

    def client(self, service: str, *, max_pool_connections: int = 10) -> Any:
        """Return a boto3 client of `service`. Clients may be shared by threads.

        Raises:
            botocore.exceptions.UnknownServiceError: there is no such service.
        """
        with self._lock:  # making a client is not safe in threads, using it is
            return self._session.client(
                service,
                endpoint_url=self.endpoint,
                config=Config(
                    max_pool_connections=max_pool_connections,
                    proxies={},
                    retries={"mode": "standard", "total_max_attempts": 3},
                    s3={"addressing_style": "path"},
                ),
            )

    def environment(self) -> dict[str, str]:
        """Return the variables that lead an AWS SDK here: endpoint, region and test keys (see `local.environment`)."""
        return {
            **_KEYS,
            "AWS_SESSION_TOKEN": "testing",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }
