"""The custom resource that makes a domain ready for the indexer: access, index templates, retention.

Its role is the domain's master user; nobody else may write these. Every step is a PUT of the same thing, so each poll
simply makes them all again until OpenSearch takes them all.

**What no test here proves:** the OpenSearch that tests can start has neither the security plugin nor ISM, and no
stand-in of the service has. The requests are tested against a stub, their effect is the documentation's word: that
``create_index`` with the two write actions suffices for the indexer's bulk requests, and that OpenSearch Service hands
an IAM role on as a backend role.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from lambdas.common.settings import endpoint
from lambdas.search_indexer.settings import index_prefix
from lambdas.search_indexer.template import templates
from lambdas.search_setup import access, retention
from lambdas.search_setup.cluster import Client, Cluster, NotYetError, SetupError

LOGGER = logging.getLogger(__name__)

ENDPOINT, PREFIX, ROLE, DAYS, WAIT = "Endpoint", "IndexPrefix", "IndexerRoleArn", "RetentionDays", "WaitMinutes"
FORGET_ROLE = "ForgetRoleArn"

DEFAULT_WAIT_MINUTES = 30


@dataclass(frozen=True)
class _Wish:
    """What the properties ask for."""

    endpoint: str
    prefix: str
    role_arn: str
    forget_role_arn: str
    days: int
    patience: timedelta


@dataclass(frozen=True)
class SearchSetup:
    """Writes role, role mapping, index templates and retention. ``connect`` makes a client for an endpoint.

    Properties: Endpoint (https://host), IndexPrefix, IndexerRoleArn and ForgetRoleArn (IAM roles of the functions that
    index and that forget a person), RetentionDays (1 to 3650), and, optional, WaitMinutes (1 to 60, default 30).
    Attributes: Role, Policy.

    Delete leaves everything: the domain goes, or it is somebody else's and keeps its data.
    """

    connect: Callable[[str], Client]
    now: Callable[[], datetime]

    def on_event(self, event: Mapping[str, object]) -> OnEventAnswer:
        """Check the properties; calls nothing.

        Raises :class:`~lambdas.common.custom_resource.RequestError` or
        :class:`~lambdas.common.errors.SettingError`.
        """
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return accepted(request.physical_id or "", self.now())
        return accepted(f"{_wish(request).prefix}-search-setup", self.now())

    def is_complete(self, event: Mapping[str, object]) -> IsCompleteAnswer:
        """Write everything once; complete when OpenSearch took it all.

        Raises :class:`~lambdas.search_setup.cluster.SetupError` with OpenSearch's reason for what it will never
        take, and when it takes too long.
        """
        request = ResourceRequest.of(event)
        if request.type is RequestType.DELETE:
            return complete(Role="", Policy="")
        wish = _wish(request)
        role, policy = access.role_name(wish.prefix), retention.policy_id(wish.prefix)
        cluster = Cluster(self.connect(wish.endpoint))
        bodies = templates(wish.prefix)
        try:
            cluster.put(f"/_plugins/_security/api/roles/{role}", access.role(wish.prefix))
            cluster.put(f"/_plugins/_security/api/rolesmapping/{role}", access.mapping(wish.role_arn))
            forget = access.forget_role_name(wish.prefix)
            cluster.put(f"/_plugins/_security/api/roles/{forget}", access.forget_role(wish.prefix))
            cluster.put(f"/_plugins/_security/api/rolesmapping/{forget}", access.mapping(wish.forget_role_arn))
            for name, body in bodies.items():
                cluster.put(f"/_index_template/{name}", body)
            cluster.put_policy(policy, retention.policy(list(bodies), wish.days))
            cluster.apply_policy(policy, retention.patterns(list(bodies)))
        except NotYetError as error:
            LOGGER.warning("asking again later", extra=fields(reason=str(error)))
            if request.waited(self.now()) > wish.patience:
                raise SetupError(f"{wish.endpoint} is not ready after {wish.patience} h:mm:ss: {error}") from error
            return incomplete()
        LOGGER.info("set up", extra=fields(role=role, policy=policy, templates=len(bodies)))
        return complete(Role=role, Policy=policy)


def _wish(request: ResourceRequest) -> _Wish:
    return _Wish(
        endpoint=endpoint(ENDPOINT, request.text(ENDPOINT, r"\S+", "allowed is https://host[:port]")),
        prefix=index_prefix(request.text(PREFIX, r"\S+", "allowed is the prefix of the indices' names")),
        role_arn=_role_arn(request, ROLE),
        forget_role_arn=_role_arn(request, FORGET_ROLE),
        days=request.number(DAYS, 1, 3650),
        patience=timedelta(minutes=request.number(WAIT, 1, 60, DEFAULT_WAIT_MINUTES)),
    )


def _role_arn(request: ResourceRequest, name: str) -> str:
    return request.text(
        name,
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,576}",
        "allowed is the ARN of an IAM role, arn:aws:iam::<account>:role/<name>",
    )
