-- Written by `make docs` from contracts/: change it there.
DROP VIEW IF EXISTS public.behavior;

CREATE VIEW public.behavior AS
SELECT
    "result_id",
    "event_time",
    "run",
    "session_id",
    "user_id",
    "session_start",
    "session_end",
    "event_count",
    "event_sequence",
    "session_duration",
    "total_value",
    "conversion_flag"
FROM (
    SELECT
        payload."result_id"::VARCHAR(65535) AS "result_id",
        payload."event_time"::VARCHAR(64)::TIMESTAMPTZ AS "event_time",
        payload."run"::VARCHAR(65535) AS "run",
        payload."session_id"::VARCHAR(65535) AS "session_id",
        payload."user_id"::BIGINT AS "user_id",
        payload."session_start"::VARCHAR(64)::TIMESTAMPTZ AS "session_start",
        payload."session_end"::VARCHAR(64)::TIMESTAMPTZ AS "session_end",
        payload."event_count"::BIGINT AS "event_count",
        payload."event_sequence"::VARCHAR(65535) AS "event_sequence",
        payload."session_duration"::BIGINT AS "session_duration",
        payload."total_value"::DECIMAL(38, 6) AS "total_value",
        payload."conversion_flag"::BOOLEAN AS "conversion_flag",
        ROW_NUMBER() OVER (
            PARTITION BY payload."result_id"::VARCHAR(512)
            ORDER BY approximate_arrival_timestamp DESC, shard_id DESC, sequence_number DESC
        ) AS copy_number
    FROM public.results_landing
    WHERE payload."result_type"::VARCHAR(32) = 'behavior'
) AS copies
WHERE copy_number = 1
WITH NO SCHEMA BINDING;
