-- Aggregation: per event_type and tumbling window of event time (setting `window`), over the events that have a value:
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
    COALESCE(SUM(amount), 0) AS total_value,
    COALESCE(CAST(SUM(amount) AS DOUBLE) / COUNT(*), 0) AS avg_value
FROM
    TABLE(
        TUMBLE(
            TABLE events,
            DESCRIPTOR (event_time),
            :window
        )
    )
WHERE amount IS NOT NULL
GROUP BY window_start, window_end, event_type;
