"""Where a record of Firehose comes from: a stream of Kinesis, or a topic of MSK. Each is told in its own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.archive import position
from lambdas.common.errors import RecordError


@dataclass(frozen=True)
class Words:
    """What Firehose calls the parts of an event, and of the answer, for one kind of source.

    Sources: "Data transformation and status model" of the Firehose developer guide; for MSK the classes
    ``MSKFirehoseEvent`` and ``MSKFirehoseResponse`` of AWS's Java library for Lambda, which have the fields.
    """

    #: Of the event: the source's ARN.
    arn: str
    #: Of a record: where it stands, and in that its partition and position.
    metadata: str
    partition: str
    position: str
    #: Of a record, in and out: its bytes, base64.
    data: str
    kind: str
    #: Of the metadata: the number within a packed record; "" where the source has none.
    sub: str = ""
    #: Whether numbers may be texts and texts numbers (what is written of MSK does not agree), and whether a record may
    #: have no value at all: a tombstone, which the live run judges as an empty one.
    loose: bool = False


KINESIS = Words(
    "sourceKinesisStreamArn",
    "kinesisRecordMetadata",
    "shardId",
    "sequenceNumber",
    "data",
    "a Kinesis stream",
    sub="subsequenceNumber",
)
MSK = Words(
    "sourceMSKArn", "mskRecordMetadata", "partitionId", "offset", "kafkaRecordValue", "a topic of MSK", loose=True
)
_ARRIVAL = "approximateArrivalTimestamp"


@dataclass(frozen=True)
class Source:
    """The stream or topic by its name, and the words for it. Without a name no record of it can be archived."""

    name: str
    words: Words

    def place(self, record: Mapping[str, object]) -> tuple[str, str, int]:
        """Partition, position, and epoch milliseconds of arrival. Raises RecordError without them."""
        words = self.words
        if not self.name:
            raise RecordError(f"`{words.arn}` is missing: the records do not come from {words.kind}")
        metadata = record.get(words.metadata)
        if not isinstance(metadata, Mapping):
            raise RecordError(f"`{words.metadata}` is missing: the record does not come from {words.kind}")
        return (
            self._text(metadata, words.partition),
            position(self._text(metadata, words.position), self._sub(metadata)),
            self._milliseconds(metadata),
        )

    def data(self, record: Mapping[str, object]) -> object:
        """The record's bytes as Firehose has them: base64, if it keeps its word."""
        found = record.get(self.words.data)
        return "" if found is None and self.words.loose else found

    def _text(self, metadata: Mapping[str, object], name: str) -> str:
        value = metadata.get(name)
        if self.words.loose and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value:
            raise RecordError(f"`{self.words.metadata}.{name}` is missing or not a string")
        return value

    def _sub(self, metadata: Mapping[str, object]) -> int:
        """Empty or missing of a record that stands alone."""
        value = metadata.get(self.words.sub) or 0
        if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value, re.ASCII):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise RecordError(f"`{self.words.metadata}.{self.words.sub}` is not a whole number")
        return value

    def _milliseconds(self, metadata: Mapping[str, object]) -> int:
        value = metadata.get(_ARRIVAL)
        if self.words.loose and isinstance(value, str) and re.fullmatch(r"\d{1,19}", value, re.ASCII):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
            raise RecordError(f"`{self.words.metadata}.{_ARRIVAL}` is missing or not a number of milliseconds")
        return value


def source_of(event: Mapping[str, object], topic: str) -> Source:
    """The event's source. Of MSK Firehose names the cluster only, so ``topic`` is the delivery's one topic."""
    if MSK.arn in event:
        return Source(topic, MSK)
    return Source(str(event.get(KINESIS.arn, "")).rpartition("/")[2], KINESIS)
