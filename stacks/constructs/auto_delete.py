"""CDK's function that empties buckets before they are deleted, made as private as ours.

CDK gives it a managed policy and lets Lambda make a log group that is neither encrypted nor ever emptied.
"""

from __future__ import annotations

from aws_cdk import aws_kms as kms

from stacks.constructs.base import EnvironmentStack, resource_of
from stacks.constructs.function import log_group

_PROVIDER = "Custom::S3AutoDeleteObjectsCustomResourceProvider"


def tame_auto_delete(stack: EnvironmentStack, key: kms.IKey) -> None:
    """Gives the function, where the stack has it, a log group of its own and the right to write just there."""
    found = stack.node.try_find_child(_PROVIDER)
    if found is None:
        return
    function, role = (resource_of(found.node.find_child(name)) for name in ("Handler", "Role"))
    days = stack.environment_settings.lambda_log_days
    group = log_group(stack, "EmptyBucketsLogs", f"/{stack.prefix}/empty-buckets-{stack.node.id}", days, key)
    function.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name, "LogFormat": "JSON"})
    role.add_property_deletion_override("ManagedPolicyArns")
    role.add_property_override(
        "Policies",
        [
            {
                "PolicyName": "logs",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "WriteOwnLogs",
                            "Effect": "Allow",
                            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                            "Resource": group.log_group_arn,
                        }
                    ],
                },
            }
        ],
    )
