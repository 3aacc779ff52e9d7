"""Facts of Kafka, and of MSK, that more than one part must know."""

from __future__ import annotations

#: Where a broker of MSK takes clients that sign in by IAM (MSK developer guide, "Port information").
IAM_PORT = 9098

#: Who says when a record came: the broker. With Kafka's default, CreateTime, arrival would be the producer's clock,
#: and what a record may be ahead of its arrival (`future`) is judged by it.
TIMESTAMP_TYPE, LOG_APPEND_TIME = "message.timestamp.type", "LogAppendTime"
RETENTION = "retention.ms"

#: What MSK Serverless takes in at most, a partition and a cluster (MSK developer guide, "MSK Serverless quota").
SERVERLESS_KB_PER_PARTITION = 5 * 1024
SERVERLESS_KB = 200 * 1024
