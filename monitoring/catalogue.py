"""Every metric that a dashboard, an alarm or a page may use."""

from __future__ import annotations

from contracts import metrics as contract
from monitoring.flink_metrics import FLINK_METRICS
from monitoring.series import MINUTE, Metric, Publisher, Unit
from monitoring.service_metrics import SERVICE_METRICS

ALERTS = Publisher("the alerts function", "contracts/jobs")
FUNCTIONS = Publisher("the functions that read a stream", "lambdas/common/telemetry.py")
LOG_FILTER = Publisher("a metric filter on the application's log", "stacks/observability.py")
#: A window of the aggregation: what the business sees comes every five minutes.
_WINDOW = 5 * MINUTE


def _own(metric: contract.Metric, publisher: Publisher, statistic: str, period: int) -> Metric:
    dimensions = () if metric.dimension is None else (metric.dimension,)
    return Metric("", metric.name, dimensions, statistic, Unit(metric.unit), metric.meaning, publisher, period)


#: By name: what the alerts function publishes, and what each function says of itself.
BUSINESS = {metric.name: _own(metric, ALERTS, "Sum", _WINDOW) for metric in contract.METRICS}
#: Values of the dimension of each of these, where they are a closed list.
VALUES = {metric.name: metric.values for metric in contract.METRICS}
FUNCTION = {
    metric.name: _own(metric, FUNCTIONS, "Sum" if metric.unit == Unit.COUNT else "Maximum", MINUTE)
    for metric in contract.FUNCTION_METRICS
}
#: "RUNNING" can hide that the Python driver has crashed: its lines are counted.
DRIVER_ERRORS = Metric(
    "",
    "PythonDriverErrors",
    (),
    "Sum",
    Unit.COUNT,
    "lines of the Python driver's errors in the application's log",
    LOG_FILTER,
)

CATALOGUE = (*BUSINESS.values(), *FLINK_METRICS, *SERVICE_METRICS, *FUNCTION.values(), DRIVER_ERRORS)
