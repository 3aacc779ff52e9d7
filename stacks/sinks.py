"""Sinks: the alerts function, its topic, its queue of given-up records and its table of processed results."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config.functions import enabled
from config.model import Environment
from config.properties import property_groups
from config.sources import alerts_of_rejections, alerts_of_results
from contracts.metrics import namespace
from contracts.names import alerts_topic_name, processed_table
from lambdas.alerts.settings import told_settings
from stacks.code import lambda_code
from stacks.constructs.alert_channels import AlertFunctionChannel, EventBusChannel
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.function import PythonFunction
from stacks.constructs.policies import allow
from stacks.constructs.stream_reader import failures_queue, read, reading, reading_statements
from stacks.network import NetworkStack
from stacks.streams import StreamsStack


class SinksStack(EnvironmentStack):
    """``topic`` takes the business alerts, ``failures`` what the function could not process."""

    def __init__(
        self, scope: Construct, environment: Environment, network: NetworkStack, streams: StreamsStack
    ) -> None:
        super().__init__(scope, "sinks", environment, "Alerts and metrics from the results of the analytics")
        key = streams.data_key
        self.topic = sns.Topic(
            self, "Alerts", topic_name=alerts_topic_name(self.prefix), master_key=key, enforce_ssl=True
        )
        for email in environment.alerts.emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        self.failures = failures_queue(self, "Alerts-Failures", key)
        self.processed = dynamodb.TableV2(
            self,
            "Processed",
            table_name=processed_table(self.prefix),
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expiration",
            removal_policy=self.removal_policy,
        )
        settings = environment.streams
        results = reading(self, "Alerts-Results", streams.results, settings.results, alerts_of_results(environment))
        rejected = reading(
            self, "Alerts-Rejected", streams.rejected, settings.rejected, alerts_of_rejections(environment)
        )
        self.alerts = PythonFunction(
            self,
            "AlertsFunction",
            package="alerts",
            handler="lambdas.alerts.handler.handler",
            code=lambda_code("alerts"),
            key=network.logs_key,
            description="Live results to SNS alerts and CloudWatch metrics",
            timeout=cdk.Duration.seconds(60),
            reserved_concurrency=environment.functions.reserved_concurrency,
            environment={
                "ALERT_TOPIC_ARN": self.topic.topic_arn,
                "METRIC_NAMESPACE": namespace(environment.name),
                "PROCESSED_TABLE": self.processed.table_name,
                "PROCESSED_TTL_SECONDS": str(_remembered_hours(environment) * 3600),
                "DEAD_LETTER_QUEUE_URL": self.failures.queue_url,
                "ALERT_MAX_AGE_SECONDS": str(environment.alerts.max_age_hours * 3600),
                "ALERT_DIGEST_ABOVE": str(environment.alerts.digest_above),
                "METRIC_EVENT_TYPES": str(environment.alerts.event_types),
                "METRIC_CATEGORIES": json.dumps(environment.alerts.categories),
                "JOB_SETTINGS": json.dumps(told_settings(property_groups(environment))),
                "LOG_LEVEL": "INFO",
            },
            statements=[
                *reading_statements([results, rejected], key, self.failures),
                allow("PublishAlerts", ["sns:Publish"], [self.topic.topic_arn]),
                allow(
                    "RememberResults",
                    ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
                    [self.processed.table_arn],
                ),
                # PutMetricData knows no resource; the condition keeps it to the kit's namespace.
                allow(
                    "PutMetrics",
                    ["cloudwatch:PutMetricData"],
                    ["*"],
                    {"StringEquals": {"cloudwatch:namespace": namespace(environment.name)}},
                ),
            ],
        )
        read(self, "ReadResults", self.alerts.function, results, self.failures)
        read(self, "ReadRejected", self.alerts.function, rejected, self.failures)
        for function in enabled(environment):
            AlertFunctionChannel(self, function, self.topic, key, network.logs_key)
        if environment.alerts.event_bus is not None:
            EventBusChannel(self, environment.alerts.event_bus, self.topic, key)


def _remembered_hours(environment: Environment) -> int:
    """Longer than a stream can deliver a result again, by a day: an extended retention counts from its arrival."""
    streams = environment.streams
    return max(streams.results.retention_hours, streams.rejected.retention_hours) + 24
