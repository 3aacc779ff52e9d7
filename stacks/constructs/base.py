"""What every stack of an environment has: name, tags, place, and what becomes of data on delete."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct, IConstruct

from config.model import Environment
from contracts.names import ARCHIVE_BUCKET, bucket_name, stack_name

#: What holds data outlives its stack. What a first deployment made that then failed does not: it is empty, and its name
#: would be taken when the deployment is repeated.
RETAINED = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


class EnvironmentStack(cdk.Stack):
    """A stack named ``<prefix>-<part>``. It is bound to the region, and to the account where the settings name one."""

    def __init__(self, scope: Construct, part: str, environment: Environment, description: str) -> None:
        super().__init__(
            scope,
            stack_name(environment.prefix, part),
            description=description,
            env=cdk.Environment(account=environment.account or None, region=environment.region),
            termination_protection=environment.protection.termination_protection,
        )
        self.environment_settings = environment
        for name, value in {**environment.tags, "environment": environment.name}.items():
            cdk.Tags.of(self).add(name, value)

    @property
    def prefix(self) -> str:
        """What every name begins with."""
        return self.environment_settings.prefix

    @property
    def removal_policy(self) -> cdk.RemovalPolicy:
        """What happens to a resource that holds data."""
        return RETAINED if self.environment_settings.protection.retain_data else cdk.RemovalPolicy.DESTROY

    @property
    def archive_bucket(self) -> str:
        """Name of the archive's bucket: no reference, so no dependency."""
        return bucket_name(self.prefix, ARCHIVE_BUCKET, self.account, self.region)

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource of this account and region, by its name: no reference, so no dependency."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def resource_of(construct: IConstruct | None) -> cdk.CfnResource:
    """A construct that is a resource of the template, or the one that stands for it; TypeError when it has none."""
    found = construct if isinstance(construct, cdk.CfnResource) else construct and construct.node.default_child
    if not isinstance(found, cdk.CfnResource):
        raise TypeError(f"{construct} is no resource: a construct of CDK has changed its inside")
    return found


def environment_stack(construct: IConstruct) -> EnvironmentStack:
    """The stack that holds a construct; TypeError when it is none of ours."""
    stack = cdk.Stack.of(construct)
    if not isinstance(stack, EnvironmentStack):
        raise TypeError(f"{construct} is in {stack}, which is no stack of an environment")
    return stack
