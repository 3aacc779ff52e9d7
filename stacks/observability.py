"""Observability: dashboard, alarms, the topic that tells who operates, and the month's budget."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config.model import Environment
from contracts.names import alarm_name
from monitoring.alarms import alarms
from monitoring.catalogue import DRIVER_ERRORS
from monitoring.dashboard import body
from monitoring.names import deployed
from monitoring.rules import Rule
from monitoring.series import Series
from stacks.analytics import AnalyticsStack
from stacks.constructs.base import EnvironmentStack
from stacks.streams import StreamsStack

#: The resource inside a construct of its own, as CDK's own constructs have it: the names of an earlier deployment stay.
_RESOURCE = "Resource"
#: A budget of the month warns at these shares of its limit, the last one forecast.
_BUDGET_WARNINGS = ((80, "ACTUAL"), (100, "FORECASTED"))


class ObservabilityStack(EnvironmentStack):
    """``topic`` takes alarms; ``alarms`` are by name, ``pages`` is in alarm when one that should wake somebody is."""

    def __init__(
        self, scope: Construct, environment: Environment, streams: StreamsStack, analytics: AnalyticsStack
    ) -> None:
        super().__init__(scope, "observability", environment, "Dashboard and alarms of the analytics pipeline")
        self.names = deployed(environment, self.account, self.region, self.partition)
        self.topic = sns.Topic(
            self, "Operations", topic_name=f"{self.prefix}-operations", master_key=streams.data_key, enforce_ssl=True
        )
        for email in environment.alerts.emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudwatchPublishes",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        self._driver_errors(analytics.log_group)
        wanted = list(alarms(environment, self.names))
        self.alarms = {rule.name: self._alarm(rule) for rule in wanted}
        self.pages = cloudwatch.CfnCompositeAlarm(
            Construct(self, "Pages"),
            _RESOURCE,
            alarm_name=alarm_name(self.prefix, "pages"),
            alarm_description="Something that should wake somebody up; the alarms below say what.",
            alarm_rule=" OR ".join(f'ALARM("{self.alarms[rule.name].attr_arn}")' for rule in wanted if rule.pages),
            alarm_actions=[self.topic.topic_arn],
        )
        cloudwatch.CfnDashboard(
            Construct(self, "Dashboard"),
            _RESOURCE,
            dashboard_name=self.prefix,
            dashboard_body=self.to_json_string(body(environment, self.names)),
        )
        if environment.budget.monthly_usd is not None:
            self._budget(environment, environment.budget.monthly_usd)

    def _driver_errors(self, log_group: logs.ILogGroup) -> None:
        logs.CfnMetricFilter(
            self,
            "PythonDriverErrors",
            log_group_name=log_group.log_group_name,
            filter_pattern='{ ($.logger = "*PythonDriver*") && ($.messageType = "ERROR") }',
            metric_transformations=[
                logs.CfnMetricFilter.MetricTransformationProperty(
                    metric_namespace=self.names.namespace,
                    metric_name=DRIVER_ERRORS.name,
                    metric_value="1",
                    default_value=0,
                )
            ],
        )

    def _alarm(self, rule: Rule) -> cloudwatch.CfnAlarm:
        return cloudwatch.CfnAlarm(
            Construct(self, f"Alarm-{rule.name}"),
            _RESOURCE,
            alarm_name=alarm_name(self.prefix, rule.name),
            alarm_description=f"{rule.meaning} (docs/runbook.md#{rule.name})",
            threshold=rule.threshold,
            comparison_operator=rule.comparison.value,
            datapoints_to_alarm=rule.periods,
            evaluation_periods=rule.of,
            treat_missing_data=rule.missing.value,
            # What pages does so once, through the composite alarm.
            alarm_actions=None if rule.pages else [self.topic.topic_arn],
            **_value(rule),
        )

    def _budget(self, environment: Environment, limit: int) -> None:
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=self.prefix,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=limit, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:environment${environment.name}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=share,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(address=email, subscription_type="EMAIL")
                        for email in environment.alerts.emails
                    ],
                )
                for share, kind in _BUDGET_WARNINGS
            ],
        )


def _value(rule: Rule) -> dict[str, Any]:
    """The properties of an alarm that say which value it watches."""
    if rule.expression is None:
        series = rule.inputs["m"]
        return {
            "namespace": series.namespace,
            "metric_name": series.name,
            "dimensions": _dimensions(series) or None,
            "statistic": series.statistic,
            "period": series.period,
        }
    return {
        "metrics": [
            *(
                cloudwatch.CfnAlarm.MetricDataQueryProperty(
                    id=key,
                    metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
                        metric=cloudwatch.CfnAlarm.MetricProperty(
                            namespace=series.namespace, metric_name=series.name, dimensions=_dimensions(series)
                        ),
                        stat=series.statistic,
                        period=series.period,
                    ),
                    return_data=False,
                )
                for key, series in rule.inputs.items()
            ),
            cloudwatch.CfnAlarm.MetricDataQueryProperty(
                id="value", expression=rule.expression, label=rule.name, return_data=True
            ),
        ]
    }


def _dimensions(series: Series) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    return [cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in series.dimensions.items()]
