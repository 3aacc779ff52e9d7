-- Written by `make docs` from contracts/: change it there.
-- Every record as it came. A schedule refreshes it, or it would keep the workgroup awake.
CREATE MATERIALIZED VIEW public.results_landing AUTO REFRESH NO AS
SELECT
    approximate_arrival_timestamp,
    partition_key,
    shard_id,
    sequence_number,
    refresh_time,
    JSON_PARSE(kinesis_data) AS payload
FROM realtime."{results_stream}"
WHERE CAN_JSON_PARSE(kinesis_data);
