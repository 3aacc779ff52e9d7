-- Written by `make docs` from contracts/: change it there.
DROP VIEW IF EXISTS public.recommendation;

CREATE VIEW public.recommendation AS
SELECT
    "result_id",
    "event_time",
    "run",
    "window_start",
    "window_end",
    "user_id",
    "category",
    "behavior_score",
    "last_activity",
    "rank"
FROM (
    SELECT
        payload."result_id"::VARCHAR(65535) AS "result_id",
        payload."event_time"::VARCHAR(64)::TIMESTAMPTZ AS "event_time",
        payload."run"::VARCHAR(65535) AS "run",
        payload."window_start"::VARCHAR(64)::TIMESTAMPTZ AS "window_start",
        payload."window_end"::VARCHAR(64)::TIMESTAMPTZ AS "window_end",
        payload."user_id"::BIGINT AS "user_id",
        payload."category"::VARCHAR(65535) AS "category",
        payload."behavior_score"::DOUBLE PRECISION AS "behavior_score",
        payload."last_activity"::VARCHAR(64)::TIMESTAMPTZ AS "last_activity",
        payload."rank"::BIGINT AS "rank",
        ROW_NUMBER() OVER (
            PARTITION BY payload."result_id"::VARCHAR(512)
            ORDER BY approximate_arrival_timestamp DESC, shard_id DESC, sequence_number DESC
        ) AS copy_number
    FROM public.results_landing
    WHERE payload."result_type"::VARCHAR(32) = 'recommendation'
) AS copies
WHERE copy_number = 1
WITH NO SCHEMA BINDING;
