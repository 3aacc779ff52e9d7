"""The custom resource that tells where the brokers of an MSK cluster take clients that sign in by IAM.

Neither kind of cluster has them as an attribute in CloudFormation. Delete does nothing: nothing was made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.custom_resource import (
    IsCompleteAnswer,
    OnEventAnswer,
    RequestType,
    ResourceRequest,
    accepted,
    complete,
    incomplete,
)
from lambdas.common.logs import fields

LOGGER = logging.getLogger(__name__)

#: Codes that pass by themselves: throttling, the service's own trouble, and a cluster that is being changed.
_PASSING = frozenset(
    {"ConflictException", "InternalServerErrorException", "ServiceUnavailableException", "TooManyRequestsException"}
)
_PATIENCE = timedelta(minutes=30)


class BrokersError(Exception):
    """The cluster has no brokers that a client could sign in to by IAM; the text says what to do."""


@dataclass(frozen=True)
class Brokers:
    """Looks the brokers up. ``kafka`` is boto3's client of MSK.

    Property: ClusterArn. Attributes: Brokers, host:port separated by commas; ClusterPath, the cluster's name and id as
    ARNs of its topics have them.
    """

    kafka: Callable[[], Any]
    now: Callable[[], datetime]

    def on_event(self, event: Mapping[str, object]) -> OnEventAnswer:
        """Check the property; calls nothing. Raises :class:`~lambdas.common.custom_resource.RequestError`."""
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return accepted(request.physical_id or "", self.now())
        return accepted(f"{_cluster(request)}#brokers", self.now())

    def is_complete(self, event: Mapping[str, object]) -> IsCompleteAnswer:
        """The brokers, once the cluster tells them. Raises :class:`BrokersError`, and MSK's own error."""
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return complete()
        arn = _cluster(request)
        try:
            told = self.kafka().get_bootstrap_brokers(ClusterArn=arn)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code not in _PASSING:
                raise
            if request.waited(self.now()) > _PATIENCE:
                raise BrokersError(f"{arn} tells no brokers after {_PATIENCE} h:mm:ss: {code}") from error
            LOGGER.warning("asking again later", extra=fields(reason=code))
            return incomplete()
        brokers = told.get("BootstrapBrokerStringSaslIam")
        if not brokers:
            raise BrokersError(
                f"{arn} takes no client that signs in by IAM: switch IAM role-based authentication on (MSK console, "
                "Properties, Security settings)"
            )
        return complete(Brokers=brokers, ClusterPath=arn.partition(":cluster/")[2])


def _cluster(request: ResourceRequest) -> str:
    return request.text("ClusterArn", r"arn:aws[a-z-]*:kafka:[^:]+:\d{12}:cluster/\S+", "allowed is a cluster's ARN")
