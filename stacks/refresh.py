"""The warehouse's refresh: the schedule that asks for it, and both ways in which a refresh that is not done is told.

What the schedule could not ask for is its own dead letter. What Redshift took and did not finish is an event of the
Data API (``WithEvent``), which a rule puts into the same queue, where one alarm sees both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs

from contracts.names import refresh_failed_rule_name, refresh_name
from contracts.warehouse import DATABASE, LANDING, SCHEMA
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.policies import KEY_READ_WRITE, allow, document, service_role


def schedule(
    scope: EnvironmentStack,
    *,
    every_minutes: int,
    secret_arn: str,
    run_statements: Sequence[iam.PolicyStatement],
    failures: sqs.IQueue,
    key: kms.IKey,
) -> scheduler.CfnSchedule:
    """EventBridge Scheduler asks the Data API itself; what it could not ask lands in ``failures``.

    ``run_statements`` is what a caller of the Data API needs.
    """
    role = service_role(
        scope,
        "RefreshRole",
        "scheduler.amazonaws.com",
        [scope.arn("scheduler", f"schedule-group/{scope.prefix}")],
        {
            "refresh": document(
                *run_statements,
                allow("TellFailures", ["sqs:SendMessage"], [failures.queue_arn]),
                allow(
                    "EncryptFailures",
                    KEY_READ_WRITE,
                    [key.key_arn],
                    {"StringEquals": {"kms:ViaService": f"sqs.{scope.region}.amazonaws.com"}},
                ),
            )
        },
    )
    group = scheduler.CfnScheduleGroup(scope, "ScheduleGroup", name=scope.prefix)
    made = scheduler.CfnSchedule(
        scope,
        "Refresh",
        name=refresh_name(scope.prefix),
        group_name=scope.prefix,
        schedule_expression=f"rate({every_minutes} minutes)",
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        kms_key_arn=key.key_arn,
        target=scheduler.CfnSchedule.TargetProperty(
            arn=f"arn:{scope.partition}:scheduler:::aws-sdk:redshiftdata:executeStatement",
            role_arn=role.role_arn,
            input=scope.to_json_string(
                {
                    "WorkgroupName": scope.prefix,
                    "Database": DATABASE,
                    "SecretArn": secret_arn,
                    "Sql": f"REFRESH MATERIALIZED VIEW {SCHEMA}.{LANDING}",
                    "StatementName": refresh_name(scope.prefix),
                    "WithEvent": True,
                }
            ),
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=failures.queue_arn),
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=every_minutes * 60, maximum_retry_attempts=3
            ),
        ),
    )
    made.add_resource_dependency(group)
    return made


def failed_refresh(prefix: str) -> dict[str, Any]:
    """EventBridge's pattern of a refresh that Redshift took and did not finish.

    By the statement's name, which holds the environment: how the event names a workgroup is not documented (Redshift
    management guide, "Monitoring events for the Amazon Redshift Data API in Amazon EventBridge").
    """
    return {
        "source": ["aws.redshift-data"],
        "detail-type": ["Redshift Data Statement Status Change"],
        "detail": {"statementName": [refresh_name(prefix)], "state": ["FAILED", "ABORTED"]},
    }


def tell_failures(scope: EnvironmentStack, failures: sqs.IQueue) -> None:
    """Puts the event of each failed refresh into ``failures``, whose key must let EventBridge in."""
    rule = events.CfnRule(
        scope,
        "RefreshFailed",
        name=refresh_failed_rule_name(scope.prefix),
        description="Refreshes of the warehouse that Redshift took and did not finish",
        event_pattern=failed_refresh(scope.prefix),
        targets=[events.CfnRule.TargetProperty(id="failures", arn=failures.queue_arn)],
    )
    failures.add_to_resource_policy(
        iam.PolicyStatement(
            sid="TakeFailedRefreshes",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[failures.queue_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": scope.account},
                "ArnEquals": {"aws:SourceArn": rule.attr_arn},
            },
        )
    )
