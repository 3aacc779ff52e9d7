"""CDK's provider framework, with roles, logs and limits of our own."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import custom_resources

from stacks.constructs.base import EnvironmentStack, resource_of
from stacks.constructs.function import PythonFunction, log_group, log_statement
from stacks.constructs.policies import allow, document


def provider(
    scope: EnvironmentStack,
    name: str,
    on_event: PythonFunction,
    is_complete: PythonFunction,
    *,
    key: kms.IKey,
    total: cdk.Duration,
    step: cdk.Duration,
) -> custom_resources.Provider:
    """A provider that calls ``on_event`` once and ``is_complete`` every ``step`` until it is done or ``total`` is over.

    Its functions are CDK's (Node.js); they get one encrypted log group, and roles that may call just the two functions.
    """
    days = scope.environment_settings.lambda_log_days
    group = log_group(scope, f"{name}Logs", f"/{scope.prefix}/{name.lower()}", days, key)
    invoke = ["lambda:InvokeFunction", "lambda:GetFunction"]
    state_machine = f"{scope.prefix}-{name.lower()}"
    on_event_role = _role(
        scope,
        f"{name}OnEventRole",
        document(
            log_statement(group),
            allow("CallOnEvent", invoke, [on_event.function.function_arn]),
            allow("StartWaiting", ["states:StartExecution"], [scope.arn("states", f"stateMachine:{state_machine}")]),
        ),
    )
    complete_role = _role(
        scope,
        f"{name}CompleteRole",
        document(log_statement(group), allow("CallIsComplete", invoke, [is_complete.function.function_arn])),
    )
    made = custom_resources.Provider(
        scope,
        name,
        on_event_handler=on_event.function,
        is_complete_handler=is_complete.function,
        framework_on_event_role=on_event_role.without_policy_updates(),
        framework_complete_and_timeout_role=complete_role.without_policy_updates(),
        log_group=group,
        query_interval=step,
        total_timeout=total,
    )
    waiter = made.node.find_child("waiter-state-machine")
    # A name of ours, so that the role of what starts the machine can name it before it is there.
    resource_of(waiter).add_property_override("StateMachineName", state_machine)
    # The machine calls two functions by their ARNs; CDK grants their versions, too.
    called = [resource_of(made.node.find_child(f"framework-{name}")) for name in ("isComplete", "onTimeout")]
    policy = resource_of(waiter.node.find_child("Role").node.find_child("DefaultPolicy"))
    if not isinstance(policy, iam.CfnPolicy):
        raise TypeError(f"{policy} is no policy: the provider framework of CDK has changed its inside")
    arns = [one.get_att("Arn").to_string() for one in called]
    policy.policy_document = document(allow("CallTheFramework", ["lambda:InvokeFunction"], arns))
    return made


def _role(scope: EnvironmentStack, name: str, policy: iam.PolicyDocument) -> iam.Role:
    return iam.Role(
        scope, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), inline_policies={"framework": policy}
    )
