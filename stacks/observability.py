"""Observability: dashboard, alarms, the topic that tells who operates, and the month's budget."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config.model import Environment
from contracts.metrics import METRICS, namespace
from contracts.names import StreamRole, application_name, function_name, input_stream_name, stream_name
from stacks.analytics import AnalyticsStack
from stacks.constructs.base import EnvironmentStack
from stacks.lake import DELIVERIES
from stacks.streams import StreamsStack
from stacks.watch import Names, Rule, Series, flink, python_driver_errors, rules

_WIDTH, _HEIGHT = 8, 6
#: A budget of the month warns at these shares of its limit, the last one forecast.
_BUDGET_WARNINGS = ((80, "ACTUAL"), (100, "FORECASTED"))


class ObservabilityStack(EnvironmentStack):
    """``topic`` takes alarms; ``alarms`` are by name, ``pages`` is in alarm when one that should wake somebody is."""

    def __init__(
        self, scope: Construct, environment: Environment, streams: StreamsStack, analytics: AnalyticsStack
    ) -> None:
        super().__init__(scope, "observability", environment, "Dashboard and alarms of the analytics pipeline")
        self.names = names(environment, self.account)
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
        wanted = list(rules(environment, self.names))
        self.alarms = {rule.name: self._alarm(rule) for rule in wanted}
        self.pages = cloudwatch.CompositeAlarm(
            self,
            "Pages",
            composite_alarm_name=f"{self.prefix}-pages",
            alarm_description="Something that should wake somebody up; the alarms below say what.",
            alarm_rule=cloudwatch.AlarmRule.any_of(*(self.alarms[rule.name] for rule in wanted if rule.page)),
        )
        self.pages.add_alarm_action(actions.SnsAction(self.topic))
        self._dashboard(environment)
        if environment.budget.monthly_usd is not None:
            self._budget(environment, environment.budget.monthly_usd)

    def _driver_errors(self, log_group: logs.ILogGroup) -> None:
        series = python_driver_errors(self.names.application)
        logs.CfnMetricFilter(
            self,
            "PythonDriverErrors",
            log_group_name=log_group.log_group_name,
            filter_pattern='{ ($.logger = "*PythonDriver*") && ($.messageType = "ERROR") }',
            metric_transformations=[
                logs.CfnMetricFilter.MetricTransformationProperty(
                    metric_namespace=series.namespace,
                    metric_name=series.name,
                    metric_value="1",
                    default_value=0,
                )
            ],
        )

    def _alarm(self, rule: Rule) -> cloudwatch.Alarm:
        metric: cloudwatch.IMetric = _metric(rule.series)
        if rule.expression is not None:
            metric = cloudwatch.MathExpression(
                expression=rule.expression,
                using_metrics={"m": metric},
                label=rule.name,
                period=cdk.Duration.seconds(rule.series.period),
            )
        comparison = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            f"Alarm-{rule.name}",
            alarm_name=f"{self.prefix}-{rule.name}",
            alarm_description=f"{rule.meaning} (docs/runbook.md#{rule.name})",
            metric=metric,
            threshold=rule.threshold,
            comparison_operator=(comparison.LESS_THAN_THRESHOLD if rule.below else comparison.GREATER_THAN_THRESHOLD),
            datapoints_to_alarm=rule.periods,
            evaluation_periods=rule.of,
            treat_missing_data=cloudwatch.TreatMissingData[rule.missing.value],
        )
        if not rule.page:  # what pages does so once, through the composite alarm
            alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm

    def _dashboard(self, environment: Environment) -> None:
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.prefix)
        board.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*self.alarms.values()], width=24, height=4)
        )
        board.add_widgets(*(_business(environment, metric.name, metric.dimension) for metric in METRICS[:3]))
        board.add_widgets(*(_business(environment, metric.name, metric.dimension) for metric in METRICS[3:]))
        name = self.names.application
        for title, series in _rows(self.names, name):
            board.add_widgets(
                *(
                    cloudwatch.GraphWidget(
                        title=f"{title}: {one.name}", left=[_metric(one)], width=_WIDTH, height=_HEIGHT
                    )
                    for one in series
                )
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


def names(environment: Environment, account: str) -> Names:
    """Names of what the environment deploys."""
    prefix = environment.prefix
    functions = ["alerts", *(["search_indexer"] if environment.search.enabled else [])]
    queues = ["alerts-failures", *(["search-failures"] if environment.search.enabled else [])]
    deliveries = DELIVERIES if environment.lake.enabled else ()
    return Names(
        application=application_name(prefix),
        streams={
            "events": input_stream_name(prefix, environment.streams.input.existing_arn),
            "results": stream_name(prefix, StreamRole.RESULTS),
            "rejected": stream_name(prefix, StreamRole.REJECTED),
        },
        functions={name.replace("_", "-"): function_name(prefix, name) for name in functions},
        queues={name: f"{prefix}-{name}" for name in queues},
        deliveries={name: f"{prefix}-{name}" for name in deliveries},
        search_domain=prefix if environment.search.enabled else None,
        account=account,
    )


def _metric(series: Series) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=series.namespace,
        metric_name=series.name,
        dimensions_map=dict(series.dimensions),
        statistic=series.statistic,
        period=cdk.Duration.seconds(series.period),
    )


def _business(environment: Environment, name: str, dimension: str | None) -> cloudwatch.GraphWidget:
    """A metric of the alerts function, split by its dimension where it has one."""
    space = namespace(environment.name)
    if dimension is None:
        left: cloudwatch.IMetric = cloudwatch.Metric(
            namespace=space, metric_name=name, statistic="Sum", period=cdk.Duration.minutes(5)
        )
    else:
        left = cloudwatch.MathExpression(
            expression=f"SEARCH('{{{space},{dimension}}} MetricName=\"{name}\"', 'Sum', 300)",
            using_metrics={},
            label="",
            period=cdk.Duration.minutes(5),
        )
    return cloudwatch.GraphWidget(title=name, left=[left], width=_WIDTH, height=_HEIGHT)


def _rows(names: Names, application: str) -> list[tuple[str, list[Series]]]:
    return [
        (
            "Flink",
            [
                # Four samples a minute: their sum over four is the rate.
                flink(application, "numRecordsInPerSecond", "Average"),
                flink(application, "numRecordsOutPerSecond", "Average"),
                flink(application, "backPressuredTimeMsPerSecond", "Maximum"),
            ],
        ),
        (
            "Flink",
            [
                flink(application, "lastCheckpointDuration", "Maximum"),
                flink(application, "lastCheckpointSize", "Maximum"),
                flink(application, "cpuUtilization", "Maximum"),
            ],
        ),
        (
            "Flink",
            [
                flink(application, "heapMemoryUtilization", "Maximum"),
                flink(application, "containerMemoryUtilization", "Maximum"),
                Series("AWS/KinesisAnalytics", "KPUs", {"Application": application}, "Maximum", 3600),
            ],
        ),
        (
            "Readers",
            [
                Series("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": stream}, "Maximum")
                for stream in names.streams.values()
            ],
        ),
        *(
            (
                function,
                [
                    Series("AWS/Lambda", metric, {"FunctionName": function}, statistic)
                    for metric, statistic in (("Errors", "Sum"), ("Throttles", "Sum"), ("Duration", "Maximum"))
                ],
            )
            for function in names.functions.values()
        ),
        (
            "Given up",
            [
                Series("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue}, "Maximum")
                for queue in names.queues.values()
            ],
        ),
    ]
