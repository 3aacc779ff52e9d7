-- Written by `make docs` from contracts/events.py: change it there.
-- The events that the jobs read, as a test table for the Flink SQL client: point path at a folder of JSON lines, run
-- this file, then any query of this folder. In the application a view of the same columns stands here, behind the
-- source, the decoder and the verdicts.
CREATE TEMPORARY TABLE events (
    `event_time` TIMESTAMP_LTZ(3) NOT NULL,
    `user_id` BIGINT NOT NULL,
    `event_type` STRING NOT NULL,
    `value` DOUBLE,
    `amount` DECIMAL(38, 6),
    `session_id` STRING,
    `category` STRING,
    `event_ref` STRING NOT NULL,
    WATERMARK FOR `event_time` AS `event_time` - INTERVAL '5' SECOND
) WITH (
    'connector' = 'filesystem',
    'path' = '/tmp/events',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
);
