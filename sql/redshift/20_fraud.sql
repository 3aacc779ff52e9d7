-- Written by `make docs` from contracts/: change it there.
DROP VIEW IF EXISTS public.fraud;

CREATE VIEW public.fraud AS
SELECT
    "result_id",
    "event_time",
    "run",
    "window_start",
    "window_end",
    "user_id",
    "suspicious_activity",
    "risk_score",
    "alert_level"
FROM (
    SELECT
        payload."result_id"::VARCHAR(65535) AS "result_id",
        payload."event_time"::VARCHAR(64)::TIMESTAMPTZ AS "event_time",
        payload."run"::VARCHAR(65535) AS "run",
        payload."window_start"::VARCHAR(64)::TIMESTAMPTZ AS "window_start",
        payload."window_end"::VARCHAR(64)::TIMESTAMPTZ AS "window_end",
        payload."user_id"::BIGINT AS "user_id",
        payload."suspicious_activity"::VARCHAR(65535) AS "suspicious_activity",
        payload."risk_score"::DOUBLE PRECISION AS "risk_score",
        payload."alert_level"::VARCHAR(65535) AS "alert_level",
        ROW_NUMBER() OVER (
            PARTITION BY payload."result_id"::VARCHAR(512)
            ORDER BY approximate_arrival_timestamp DESC, shard_id DESC, sequence_number DESC
        ) AS copy_number
    FROM public.results_landing
    WHERE payload."result_type"::VARCHAR(32) = 'fraud'
) AS copies
WHERE copy_number = 1
WITH NO SCHEMA BINDING;
