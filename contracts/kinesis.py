"""Limits of a Kinesis shard, per second. Source: Kinesis Data Streams developer guide, quotas and limits."""

#: GetRecords calls, for all readers that poll.
READS_PER_SHARD = 5
#: Read by all polling readers together: 2 MB.
READ_KB_PER_SHARD = 2048
#: Written: 1 MB, and at most 1,000 records.
WRITE_KB_PER_SHARD = 1024
WRITE_RECORDS_PER_SHARD = 1000
#: What a stream on demand takes at first; it doubles by itself, within minutes, up to its quota.
ON_DEMAND_RECORDS = 4000
