"""The look-up of brokers, against MSK as moto has it and as a double plays its refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common.custom_resource import RequestError
from lambdas.msk_brokers.function import Brokers, BrokersError

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
CLUSTER = "arn:aws:kafka:us-east-1:123456789012:cluster/clicks/01234567-89ab-cdef-0123-456789abcdef-3"
BROKERS = "b-1.example.com:9098,b-2.example.com:9098"


class Msk:
    """GetBootstrapBrokers: an answer, or an error by its code."""

    def __init__(self, answer: dict[str, str] | str) -> None:
        self.answer = answer

    def get_bootstrap_brokers(self, *, ClusterArn: str) -> dict[str, str]:
        assert ClusterArn == CLUSTER
        if isinstance(self.answer, str):
            raise ClientError({"Error": {"Code": self.answer, "Message": "so"}}, "GetBootstrapBrokers")
        return self.answer


def look_up(answer: dict[str, str] | str, waited: float = 0.0) -> Brokers:
    return Brokers(lambda: Msk(answer), lambda: NOW + timedelta(minutes=waited))


def event(kind: str = "Create", cluster: str = CLUSTER) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "PhysicalResourceId": "brokers",
        "ResourceProperties": {"ClusterArn": cluster},
        "Since": NOW.timestamp(),
    }


def test_it_tells_the_brokers_for_iam_and_the_clusters_path() -> None:
    answer = {"BootstrapBrokerStringSaslIam": BROKERS, "BootstrapBrokerStringTls": "b-1.example.com:9094"}
    assert look_up(answer).is_complete(event()) == {
        "IsComplete": True,
        "Data": {"Brokers": BROKERS, "ClusterPath": "clicks/01234567-89ab-cdef-0123-456789abcdef-3"},
    }


def test_a_cluster_without_iam_fails_with_what_to_do() -> None:
    with pytest.raises(BrokersError, match="switch IAM role-based authentication on"):
        look_up({"BootstrapBrokerStringTls": "b-1.example.com:9094"}).is_complete(event())


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ServiceUnavailableException", "ConflictException"])
def test_what_passes_is_asked_again_for_half_an_hour(code: str) -> None:
    assert look_up(code).is_complete(event()) == {"IsComplete": False}
    with pytest.raises(BrokersError, match=f"tells no brokers after 0:30:00 h:mm:ss: {code}"):
        look_up(code, waited=31).is_complete(event())


def test_what_does_not_pass_fails_with_the_services_text() -> None:
    with pytest.raises(ClientError, match="NotFoundException"):
        look_up("NotFoundException").is_complete(event())


def test_delete_asks_nobody() -> None:
    assert look_up("NotFoundException").is_complete(event("Delete"))["IsComplete"] is True


def test_what_is_no_cluster_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(RequestError, match="property ClusterArn is 'clicks': allowed is a cluster's ARN"):
        look_up({}).on_event(event(cluster="clicks"))
    assert look_up({}).on_event(event())["PhysicalResourceId"] == f"{CLUSTER}#brokers"
