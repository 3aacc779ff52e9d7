"""The guard that keeps tests on the loopback, which tests/conftest.py switches on."""

from __future__ import annotations

import socket
from urllib.request import urlopen

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import HTTPClientError

from tests.loopback import OutsideError


@pytest.mark.parametrize("address", ["192.0.2.1", "8.8.8.8", "0.0.0.1"])
def test_a_connection_to_another_address_is_refused(address: str) -> None:
    with socket.socket() as client, pytest.raises(OutsideError, match=address):
        client.connect((address, 80))


def test_a_connection_over_version_6_is_refused() -> None:
    with socket.socket(socket.AF_INET6) as client, pytest.raises(OutsideError, match="2001:db8::1"):
        client.connect(("2001:db8::1", 80))


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(OutsideError, match=r"'example\.com'"):
        urlopen("http://example.com/")


def test_a_call_of_an_aws_service_is_refused() -> None:
    client = boto3.client("sts", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    with pytest.raises(HTTPClientError, match=r"looks 'sts\.us-east-1\.amazonaws\.com' up"):
        client.get_caller_identity()


def test_a_datagram_to_another_address_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, pytest.raises(OutsideError, match=r"192\.0\.2\.1"):
        client.sendto(b"x", ("192.0.2.1", 53))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_loopback_is_reached(host: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection((host, server.getsockname()[1])) as client:
        assert client.getpeername()[0] == "127.0.0.1"
