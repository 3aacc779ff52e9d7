-- Share of the sessions of each hour that went view, click, purchase. The latest copy of a session counts.
WITH sessions AS (
    SELECT
        result_id,
        DATE_TRUNC('hour', FROM_ISO8601_TIMESTAMP(MAX(event_time))) AS ended_in,
        MAX_BY(conversion_flag, hour) AS converted
    FROM behavior
    WHERE
        hour BETWEEN '2026-11-23-00' AND '2026-11-23-23'
        AND result_type = 'behavior'
    GROUP BY result_id
)

SELECT
    ended_in,
    COUNT(*) AS sessions,
    AVG(IF(converted, 1.0, 0.0)) AS conversion_rate
FROM sessions
GROUP BY ended_in
ORDER BY ended_in
