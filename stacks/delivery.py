"""Delivery, optional: a role for a GitHub workflow that deploys, without long-lived keys."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.model import Environment
from contracts.names import PARTS, stack_name
from stacks.constructs.base import RETAINED, EnvironmentStack
from stacks.constructs.policies import KEY_READ, KEY_WRITE, allow, document
from stacks.streams import StreamsStack

_ISSUER = "token.actions.githubusercontent.com"
#: Longer than a first deployment with search takes (GitHub's workflow asks for as long).
SESSION = cdk.Duration.hours(4)
#: Roles of CDK's bootstrap stack that `cdk deploy` takes over; they may do the rest.
_BOOTSTRAP_ROLES = ("deploy-role", "file-publishing-role", "lookup-role")


class DeliveryStack(EnvironmentStack):
    """``role`` may be taken over by jobs of one GitHub environment, named as this one, of one repository."""

    def __init__(self, scope: Construct, environment: Environment, streams: StreamsStack) -> None:
        super().__init__(scope, "delivery", environment, "Role of the pipeline that deploys")
        settings = environment.pipeline
        provider_arn = f"arn:{self.partition}:iam::{self.account}:oidc-provider/{_ISSUER}"
        provider = None
        if settings.create_provider:
            provider = iam.CfnOIDCProvider(
                self, "GitHub", url=f"https://{_ISSUER}", client_id_list=["sts.amazonaws.com"]
            )
            provider.apply_removal_policy(RETAINED)  # the account's, whichever environment made it
        self.role = iam.Role(
            self,
            "DeployRole",
            role_name=f"{self.prefix}-deploy",
            max_session_duration=SESSION,
            assumed_by=iam.WebIdentityPrincipal(
                provider_arn,
                {
                    "StringEquals": {
                        f"{_ISSUER}:aud": "sts.amazonaws.com",
                        # What GitHub says of a job with `environment:`; which branches may use it is set in GitHub.
                        f"{_ISSUER}:sub": f"repo:{settings.github_repository}:environment:{environment.name}",
                    }
                },
            ),
            inline_policies={
                "deploy": document(
                    allow(
                        "TakeOverTheBootstrapRoles",
                        ["sts:AssumeRole"],
                        [
                            f"arn:{self.partition}:iam::{self.account}:role/"
                            f"cdk-hnb659fds-{role}-{self.account}-{self.region}"
                            for role in _BOOTSTRAP_ROLES
                        ],
                    ),
                    *self._looking(),
                    *self._smoke(streams),
                )
            },
        )
        if provider is not None:
            self.role.node.add_dependency(provider)

    def _looking(self) -> list[iam.PolicyStatement]:
        """What `make deploy` looks at before it deploys."""
        stacks = [self.arn("cloudformation", f"stack/{stack_name(self.prefix, part)}/*") for part in PARTS]
        search_role = f"arn:{self.partition}:iam::{self.account}:role/aws-service-role/opensearchservice.amazonaws.com"
        searched = self.environment_settings.search.enabled
        return [
            allow(
                "SeeTheBootstrap", ["ssm:GetParameter"], [self.arn("ssm", "parameter/cdk-bootstrap/hnb659fds/version")]
            ),
            allow("SeeTheStacks", ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], stacks),
            *(
                [
                    allow(
                        "SeeTheSearchRole", ["iam:GetRole"], [f"{search_role}/AWSServiceRoleForAmazonOpenSearchService"]
                    )
                ]
                if searched
                else []
            ),
        ]

    def _smoke(self, streams: StreamsStack) -> list[iam.PolicyStatement]:
        """What `make smoke` does: a canary in, its result out."""
        canaries = [] if streams.input is None else [streams.input]
        # Only what was sent from here is looked for among the rejections.
        outputs = [streams.results.stream_arn, *(streams.rejected.stream_arn for _ in canaries)]
        return [
            *(
                allow("SendTheCanary", ["kinesis:ListShards", "kinesis:PutRecord"], [events.stream.stream_arn])
                for events in canaries
            ),
            allow("FindItsResult", ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"], outputs),
            *(allow("EncryptIt", KEY_WRITE, [events.key.key_arn]) for events in canaries if events.key is not None),
            allow("DecryptResults", KEY_READ, [streams.data_key.key_arn]),
        ]
