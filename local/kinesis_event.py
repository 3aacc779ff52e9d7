"""The JSON that Lambda's Kinesis event source mapping sends to functions and on-failure destinations."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from local.batch_policy import StreamRecord
from local.lambda_function import LambdaFunction

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


@dataclass(frozen=True)
class ShardName:
    """A shard: the ARN of its stream, and its id."""

    stream_arn: str
    shard_id: str

    @property
    def region(self) -> str:
        """The region in the ARN."""
        return self.stream_arn.split(":")[3]


def kinesis_event(records: Sequence[StreamRecord], shard: ShardName, function: LambdaFunction) -> dict[str, Any]:
    """Return the event for a function: the documented shape, `data` in base64, arrival in seconds."""
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": record.partition_key,
                    "sequenceNumber": record.sequence_number,
                    "data": base64.b64encode(record.data).decode("ascii"),
                    "approximateArrivalTimestamp": record.arrived,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{shard.shard_id}:{record.sequence_number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": function.role_arn,
                "awsRegion": shard.region,
                "eventSourceARN": shard.stream_arn,
            }
            for record in records
        ]
    }


def failure_message(
    records: Sequence[StreamRecord],
    shard: ShardName,
    function: LambdaFunction,
    *,
    condition: Condition,
    request_id: str,
    invocations: int,
    function_error: bool,
    now: float,
) -> dict[str, Any]:
    """Return what goes to the on-failure destination: where the records are, never what is in them.

    Args:
        records: those given up, in order; at least one.
        shard: where they lie.
        function: the one that failed.
        condition: why they were given up.
        request_id: of the last call.
        invocations: how often the function was called with them.
        function_error: the last call raised (a partial failure answers regularly).
        now: seconds since 1970.
    """
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if function_error:
        response["functionError"] = "Unhandled"
    return {
        "requestContext": {
            "requestId": request_id,
            "functionArn": function.arn,
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "responseContext": response,
        "version": "1.0",
        "timestamp": _iso(now),
        "KinesisBatchInfo": {
            "shardId": shard.shard_id,
            "startSequenceNumber": records[0].sequence_number,
            "endSequenceNumber": records[-1].sequence_number,
            "approximateArrivalOfFirstRecord": _iso(records[0].arrived),
            "approximateArrivalOfLastRecord": _iso(records[-1].arrived),
            "batchSize": len(records),
            "streamArn": shard.stream_arn,
        },
    }


def _iso(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
