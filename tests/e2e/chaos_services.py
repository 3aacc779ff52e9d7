"""The services of the chaos test: real ones (moto, OpenSearch), or quick ones that keep what they are given."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Protocol

from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord

from contracts import metrics
from lambdas.alerts.notifier import PublishAnswer
from lambdas.common.once import store
from lambdas.common.opensearch import Answer, OpenSearchClient
from lambdas.search_indexer.template import put_templates
from local.standins.moto import Moto
from local.standins.opensearch import OpenSearch
from tests.e2e.chaos import Clock, SampleKey, alert_id

Documents = Mapping[tuple[str, str], Mapping[str, Any]]


class Services(Protocol):
    """Clients for the functions, and what their services hold in the end. ``name`` sets one run apart from the next."""

    name: str
    topic: str
    sns: Any
    sqs: Any
    cloudwatch: Any
    dynamodb: Any
    store: Any
    search: Any

    def queue(self, function: str) -> str:
        """URL of the function's dead letters."""
        ...

    def letters(self, function: str) -> Counter[str]:
        """Dead letters by sequence number."""
        ...

    def published(self) -> Counter[str]:
        """Alerts that came, by result_id."""
        ...

    def sum(self, key: SampleKey) -> float:
        """The sum that CloudWatch has for a series and minute."""
        ...

    def indexed(self) -> Documents:
        """Every document by index and id."""
        ...

    def forget(self) -> None:
        """Make room for the next run."""
        ...


class RealServices:
    """See :class:`Services`."""

    def __init__(self, name: str, moto: Moto, opensearch: OpenSearch) -> None:
        self.name = name
        self._opensearch = opensearch
        self.sns, self.sqs, self.cloudwatch, self.dynamodb = (
            moto.client(service) for service in ("sns", "sqs", "cloudwatch", "dynamodb")
        )
        self._inbox = self.sqs.create_queue(QueueName=f"{name}-inbox")["QueueUrl"]
        self.topic = self.sns.create_topic(Name=name)["TopicArn"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self._inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        put_templates(opensearch.url, name)
        self._dead = {
            function: self.sqs.create_queue(QueueName=f"{name}-{function}-dead")["QueueUrl"]
            for function in ("alerts", "indexer")
        }
        self.store = store(name, 14 * 86_400, self.dynamodb)
        self.search = OpenSearchClient(opensearch.url, "us-east-1", timeout=30)

    def queue(self, function: str) -> str:
        return str(self._dead[function])

    def letters(self, function: str) -> Counter[str]:
        return Counter(json.loads(body)["sequence"] for body in self._taken(self._dead[function]))

    def published(self) -> Counter[str]:
        return Counter(json.loads(body)["result_id"] for body in self._taken(self._inbox))

    def _taken(self, queue: str) -> Iterator[str]:
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            yield from (message["Body"] for message in messages)
            self.sqs.delete_message_batch(
                QueueUrl=queue,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ],
            )

    def sum(self, key: SampleKey) -> float:
        name, label, minute = key
        dimension = next(metric.dimension for metric in metrics.METRICS if metric.name == name)
        answer = self.cloudwatch.get_metric_statistics(
            Namespace=self.name,
            MetricName=name,
            Dimensions=[] if dimension is None else [{"Name": dimension, "Value": label}],
            StartTime=minute,
            EndTime=minute + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return sum(float(point["Sum"]) for point in answer["Datapoints"])

    def indexed(self) -> Documents:
        self._opensearch.call("POST", f"/{self.name}-*/_refresh")
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        after: list[object] | None = None
        while True:
            query: dict[str, object] = {"size": 5000, "sort": [{"result_id": "asc"}, {"_index": "asc"}]}
            if after is not None:
                query["search_after"] = after
            hits = self._opensearch.call("POST", f"/{self.name}-*/_search", query)["hits"]["hits"]
            if not hits:
                return found
            found |= {(hit["_index"], hit["_id"]): hit["_source"] for hit in hits}
            after = hits[-1]["sort"]

    def forget(self) -> None:
        self._opensearch.call("DELETE", f"/{self.name}-*")


class _Taken(Exception):
    """The name of DynamoDB's error for a condition that does not hold."""


@dataclass
class QuickServices:
    """See :class:`Services`. Claims run out by ``clock``."""

    name: str
    clock: Clock
    topic: str = "topic"
    exceptions: Any = field(default_factory=lambda: SimpleNamespace(ConditionalCheckFailedException=_Taken))
    _claims: dict[str, float] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _items: dict[str, dict[str, Any]] = field(default_factory=dict)
    _alerts: Counter[str] = field(default_factory=Counter)
    _letters: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _sums: defaultdict[SampleKey, float] = field(default_factory=lambda: defaultdict(float))
    _documents: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sns = self.sqs = self.cloudwatch = self.dynamodb = self.store = self.search = self

    def save_inprogress(self, data: dict[str, str], remaining_time_in_millis: int | None = None) -> None:
        key = str(data)
        if key in self._done or self._claims.get(key, 0) > self.clock.seconds:
            status = STATUS_CONSTANTS["COMPLETED" if key in self._done else "INPROGRESS"]
            raise IdempotencyItemAlreadyExistsError(old_data_record=DataRecord(key, status))
        assert remaining_time_in_millis is not None
        self._claims[key] = self.clock.seconds + remaining_time_in_millis / 1000

    def save_success(self, data: dict[str, str], result: dict[str, str]) -> None:
        self._done.add(str(data))

    def delete_record(self, data: dict[str, str], exception: Exception) -> None:
        self._claims.pop(str(data), None)

    def get_item(self, *, Key: dict[str, dict[str, str]], **_: object) -> dict[str, Any]:
        item = self._items.get(Key["id"]["S"])
        return {} if item is None else {"Item": item}

    def put_item(self, *, Item: dict[str, Any], **parameters: Any) -> dict[str, Any]:
        key, wanted = Item["id"]["S"], parameters.get("ExpressionAttributeValues", {}).get(":version")
        there = self._items.get(key)
        if (there or {}).get("version") != wanted:
            raise _Taken
        self._items[key] = Item
        return {}

    def publish_batch(self, *, PublishBatchRequestEntries: Sequence[dict[str, object]], **_: object) -> PublishAnswer:
        self._alerts.update(alert_id(str(entry["Message"])) for entry in PublishBatchRequestEntries)
        return {"Failed": []}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> object:
        self._letters[QueueUrl][json.loads(MessageBody)["sequence"]] += 1
        return {}

    def put_metric_data(self, *, MetricData: Sequence[dict[str, Any]], **_: object) -> object:
        for datum in MetricData:
            label = "".join(dimension["Value"] for dimension in datum["Dimensions"])
            self._sums[datum["MetricName"], label, datum["Timestamp"]] += datum["Value"]
        return {}

    def request(self, method: str, path: str, body: bytes, content_type: str) -> Answer:
        lines = body.split(b"\n")[:-1]
        items = []
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            index = json.loads(action)["index"]
            content = json.loads(document)
            if isinstance(content.get("anomaly_score"), str):
                error = {"type": "mapper_parsing_exception", "reason": "failed to parse field [anomaly_score]"}
                items.append({"index": {**index, "status": 400, "error": error}})
                continue
            self._documents[index["_index"], index["_id"]] = content
            items.append({"index": {**index, "status": 201}})
        return Answer(200, json.dumps({"items": items}).encode())

    def queue(self, function: str) -> str:
        return function

    def letters(self, function: str) -> Counter[str]:
        return self._letters[function]

    def published(self) -> Counter[str]:
        return self._alerts

    def sum(self, key: SampleKey) -> float:
        return self._sums[key]

    def indexed(self) -> Documents:
        return self._documents

    def forget(self) -> None:
        """Nothing to do: the next run has its own."""
