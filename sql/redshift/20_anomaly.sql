-- Written by `make docs` from contracts/: change it there.
DROP VIEW IF EXISTS public.anomaly;

CREATE VIEW public.anomaly AS
SELECT
    "result_id",
    "event_time",
    "run",
    "user_id",
    "event_type",
    "current_value",
    "moving_average",
    "deviation",
    "baseline_count",
    "anomaly_score",
    "is_anomaly",
    "expected_low",
    "expected_high"
FROM (
    SELECT
        payload."result_id"::VARCHAR(65535) AS "result_id",
        payload."event_time"::VARCHAR(64)::TIMESTAMPTZ AS "event_time",
        payload."run"::VARCHAR(65535) AS "run",
        payload."user_id"::BIGINT AS "user_id",
        payload."event_type"::VARCHAR(65535) AS "event_type",
        payload."current_value"::DOUBLE PRECISION AS "current_value",
        payload."moving_average"::DOUBLE PRECISION AS "moving_average",
        payload."deviation"::DOUBLE PRECISION AS "deviation",
        payload."baseline_count"::BIGINT AS "baseline_count",
        payload."anomaly_score"::DOUBLE PRECISION AS "anomaly_score",
        payload."is_anomaly"::BOOLEAN AS "is_anomaly",
        payload."expected_low"::DOUBLE PRECISION AS "expected_low",
        payload."expected_high"::DOUBLE PRECISION AS "expected_high",
        ROW_NUMBER() OVER (
            PARTITION BY payload."result_id"::VARCHAR(512)
            ORDER BY approximate_arrival_timestamp DESC, shard_id DESC, sequence_number DESC
        ) AS copy_number
    FROM public.results_landing
    WHERE payload."result_type"::VARCHAR(32) = 'anomaly'
) AS copies
WHERE copy_number = 1
WITH NO SCHEMA BINDING;
