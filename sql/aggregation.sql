-- Aggregation: per event_type and tumbling window of 5 minutes of event time, over the events that have a value:
-- event_count, unique_users (distinct user_id), total_value (exact sum) and avg_value = total_value / event_count.
-- needs_from: the earliest event_time that can change the row; not part of the result.
SELECT
    window_end AS event_time,
    window_start,
    window_end,
    event_type,
    window_start AS needs_from,
    COUNT(*) AS event_count,
    COUNT(DISTINCT user_id) AS unique_users,
    SUM(amount) AS total_value,
    CAST(SUM(amount) AS DOUBLE) / COUNT(*) AS avg_value
FROM
    TABLE(
        TUMBLE(
            TABLE events,
            DESCRIPTOR (event_time),
            /*:aggregation.window*/ INTERVAL '5' MINUTE
        )
    )
WHERE amount IS NOT NULL
GROUP BY window_start, window_end, event_type;
