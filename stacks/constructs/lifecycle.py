"""Two custom resources around the application: a snapshot before CloudFormation changes it, a start after it.

CloudFormation leaves a new application stopped and restarts a running one from whatever snapshot there is.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import custom_resources
from constructs import Construct

from stacks.code import lambda_code
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.function import PythonFunction
from stacks.constructs.provider import provider

_PACKAGE = "application_lifecycle"
#: Longer than the functions wait themselves (40 min), so that their words are what fails a deployment.
_TOTAL = cdk.Duration.minutes(45)
_STEP = cdk.Duration.seconds(20)


class LifecycleStep(Construct):
    """One of the two: its functions, its provider and the resource."""

    def __init__(
        self,
        scope: EnvironmentStack,
        name: str,
        module: str,
        *,
        key: kms.IKey,
        statements: list[iam.PolicyStatement],
        properties: Mapping[str, str],
        description: str,
    ) -> None:
        super().__init__(scope, name)
        functions = [
            PythonFunction(
                scope,
                f"{name}{role.title().replace('_', '')}",
                package=_PACKAGE,
                called=f"{module}_{role}",
                handler=f"lambdas.{_PACKAGE}.{module}.{role}",
                code=lambda_code(_PACKAGE),
                key=key,
                description=description,
                timeout=cdk.Duration.minutes(2),
                environment={"LOG_LEVEL": "INFO"},
                statements=needed,
            )
            for role, needed in (("on_event", []), ("is_complete", statements))
        ]
        made: custom_resources.Provider = provider(
            scope, f"{name}Provider", functions[0], functions[1], key=key, total=_TOTAL, step=_STEP
        )
        self.resource = cdk.CustomResource(
            self,
            "Resource",
            service_token=made.service_token,
            resource_type=f"Custom::{name}",
            properties=dict(properties),
        )
