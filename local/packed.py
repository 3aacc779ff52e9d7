"""Records that are packed into one, as the Kinesis Producer Library packs them and Firehose unpacks them.

Format: "KPL Aggregated Record Format" of amazon-kinesis-producer, by AWS's own module for Python.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import iter_deaggregate_records

#: The module needs a place for the record that it unpacks; nothing reads it.
_PLACE = {"SequenceNumber": "0", "PartitionKey": "0", "ApproximateArrivalTimestamp": datetime.fromtimestamp(0, UTC)}


def packed(payloads: Iterable[bytes], hash_key: str) -> bytes:
    """One record that holds the payloads, all with the explicit hash key ``hash_key``."""
    aggregator = RecordAggregator()
    for payload in payloads:
        if aggregator.add_user_record("packed", payload, hash_key) is not None:
            raise ValueError("the payloads are larger than a record; pack fewer of them")
    _, _, data = aggregator.clear_and_get().get_contents()
    return bytes(data)


def unpacked(data: bytes) -> list[bytes]:
    """The payloads of a packed record, the first with the sub-sequence number 0; of another record itself."""
    found = [record["kinesis"] for record in iter_deaggregate_records([{"Data": data, **_PLACE}], "Boto3")]
    return [base64.b64decode(each["data"]) if each.get("aggregated") else bytes(each["data"]) for each in found]
