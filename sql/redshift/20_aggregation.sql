-- Written by `make docs` from contracts/: change it there.
DROP VIEW IF EXISTS public.aggregation;

CREATE VIEW public.aggregation AS
SELECT
    "result_id",
    "event_time",
    "run",
    "window_start",
    "window_end",
    "event_type",
    "event_count",
    "unique_users",
    "total_value",
    "avg_value"
FROM (
    SELECT
        payload."result_id"::VARCHAR(65535) AS "result_id",
        payload."event_time"::VARCHAR(64)::TIMESTAMPTZ AS "event_time",
        payload."run"::VARCHAR(65535) AS "run",
        payload."window_start"::VARCHAR(64)::TIMESTAMPTZ AS "window_start",
        payload."window_end"::VARCHAR(64)::TIMESTAMPTZ AS "window_end",
        payload."event_type"::VARCHAR(65535) AS "event_type",
        payload."event_count"::BIGINT AS "event_count",
        payload."unique_users"::BIGINT AS "unique_users",
        payload."total_value"::DECIMAL(38, 6) AS "total_value",
        payload."avg_value"::DOUBLE PRECISION AS "avg_value",
        ROW_NUMBER() OVER (
            PARTITION BY payload."result_id"::VARCHAR(512)
            ORDER BY approximate_arrival_timestamp DESC, shard_id DESC, sequence_number DESC
        ) AS copy_number
    FROM public.results_landing
    WHERE payload."result_type"::VARCHAR(32) = 'aggregation'
) AS copies
WHERE copy_number = 1
WITH NO SCHEMA BINDING;
