"""Delivery, optional: a role for a GitHub workflow that deploys, without long-lived keys."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from config.model import Environment
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.policies import allow, document

_ISSUER = "token.actions.githubusercontent.com"
#: Roles of CDK's bootstrap stack that `cdk deploy` takes over; they may do the rest.
_BOOTSTRAP_ROLES = ("deploy-role", "file-publishing-role", "lookup-role")


class DeliveryStack(EnvironmentStack):
    """``role`` may be taken over by workflows of one branch of one repository."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, "delivery", environment, "Role of the pipeline that deploys")
        settings = environment.pipeline
        provider_arn = f"arn:{self.partition}:iam::{self.account}:oidc-provider/{_ISSUER}"
        provider = None
        if settings.create_provider:
            provider = iam.CfnOIDCProvider(
                self, "GitHub", url=f"https://{_ISSUER}", client_id_list=["sts.amazonaws.com"]
            )
        self.role = iam.Role(
            self,
            "DeployRole",
            role_name=f"{self.prefix}-deploy",
            assumed_by=iam.WebIdentityPrincipal(
                provider_arn,
                {
                    "StringEquals": {
                        f"{_ISSUER}:aud": "sts.amazonaws.com",
                        f"{_ISSUER}:sub": f"repo:{settings.github_repository}:ref:refs/heads/{settings.branch}",
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
                    )
                )
            },
        )
        if provider is not None:
            self.role.node.add_dependency(provider)
