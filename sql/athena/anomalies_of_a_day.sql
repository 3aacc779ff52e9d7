-- Anomalies of a day by event type, with the highest score. Each result once: a replay may have written it again.
SELECT
    event_type,
    COUNT(DISTINCT result_id) AS anomalies,
    MAX(anomaly_score) AS highest_score
FROM anomaly
WHERE
    hour BETWEEN '2026-11-23-00' AND '2026-11-23-23'
    AND result_type = 'anomaly'
    AND is_anomaly
GROUP BY event_type
ORDER BY anomalies DESC
