-- Recommendation: per user, the best categories of the last hour, every 5 minutes.
-- behavior_score = sum of weight * exp(-(window_end - event_time) / 1 h)
-- weights: view 1, click 2, purchase 5, other 0.
-- A user is listed when active in the window's last 5 minutes; rank by score (six decimals), then category.
-- needs_from: the earliest event_time that can change the row; not part of the result.
SELECT
    scores.window_end AS event_time,
    scores.window_start,
    scores.window_end,
    scores.user_id,
    best.category,
    best.behavior_score,
    best.last_activity,
    best.category_rank AS `rank`,
    scores.window_start AS needs_from
FROM (
    SELECT
        window_start,
        window_end,
        user_id,
        DECAYED_TOP(
            category,
            CASE event_type
                WHEN 'view' THEN /*:recommendation.weight_view*/ 1.0E0
                WHEN 'click' THEN /*:recommendation.weight_click*/ 2.0E0
                WHEN 'purchase' THEN /*:recommendation.weight_purchase*/ 5.0E0
                ELSE /*:recommendation.weight_other*/ 0.0E0
            END,
            event_time,
            CAST(/*:recommendation.step*/ 300000 AS BIGINT),
            CAST(/*:recommendation.decay*/ 3600000 AS BIGINT),
            /*:recommendation.top*/ 5
        ) AS ranking
    FROM
        TABLE(
            HOP(
                TABLE events,
                DESCRIPTOR (event_time),
                /*:recommendation.step*/ INTERVAL '5' MINUTE,
                /*:recommendation.window*/ INTERVAL '1' HOUR
            )
        )
    WHERE category IS NOT NULL
    GROUP BY window_start, window_end, user_id
) AS scores
CROSS JOIN
    UNNEST(scores.ranking.categories)
        AS best (category, behavior_score, last_activity, category_rank)
WHERE CAST(scores.ranking.last_step AS TIMESTAMP(3)) = scores.window_end;
