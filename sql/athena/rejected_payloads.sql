-- What was rejected, and why: the payloads themselves, from the archive of raw events.
SELECT
    rejected.reason,
    rejected.detail,
    rejected.arrival_time,
    FROM_UTF8(FROM_BASE64(events.payload)) AS payload
FROM rejected
INNER JOIN events
    ON
        rejected.source = events.source
        AND rejected."partition" = events."partition"
        AND rejected.position = events.position
WHERE
    rejected.hour BETWEEN '2026-11-23-00' AND '2026-11-23-23'
    AND events.hour BETWEEN '2026/11/22/23' AND '2026/11/23/23'
ORDER BY rejected.arrival_time
LIMIT 100
