-- Written by `make docs` from contracts/: change it there.
DROP VIEW IF EXISTS public.session;

CREATE VIEW public.session AS
SELECT
    "result_id",
    "event_time",
    "run",
    "user_id",
    "session_start",
    "session_end",
    "duration_minutes",
    "event_count",
    "total_value",
    "event_types"
FROM (
    SELECT
        payload."result_id"::VARCHAR(65535) AS "result_id",
        payload."event_time"::VARCHAR(64)::TIMESTAMPTZ AS "event_time",
        payload."run"::VARCHAR(65535) AS "run",
        payload."user_id"::BIGINT AS "user_id",
        payload."session_start"::VARCHAR(64)::TIMESTAMPTZ AS "session_start",
        payload."session_end"::VARCHAR(64)::TIMESTAMPTZ AS "session_end",
        payload."duration_minutes"::DOUBLE PRECISION AS "duration_minutes",
        payload."event_count"::BIGINT AS "event_count",
        payload."total_value"::DECIMAL(38, 6) AS "total_value",
        payload."event_types"::SUPER AS "event_types",
        ROW_NUMBER() OVER (
            PARTITION BY payload."result_id"::VARCHAR(512)
            ORDER BY approximate_arrival_timestamp DESC, shard_id DESC, sequence_number DESC
        ) AS copy_number
    FROM public.results_landing
    WHERE payload."result_type"::VARCHAR(32) = 'session'
) AS copies
WHERE copy_number = 1
WITH NO SCHEMA BINDING;
