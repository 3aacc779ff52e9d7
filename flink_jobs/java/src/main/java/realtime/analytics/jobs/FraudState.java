package realtime.analytics.jobs;

import java.util.Arrays;

/**
 * A user's recent purchases and armed levels. Purchases come in event-time order; ties are counted one by one.
 *
 * <p>A level fires when the purchases in (t - window, t] reach its threshold, and again only after it has been below
 * the threshold for a whole window. At most the highest threshold of timestamps is kept. A Flink POJO.
 */
public class FraudState {
    /** Times of the last purchases, oldest first, at most as many as the highest threshold. */
    public long[] recent = new long[0];
    /** Per level: until when the count was last at or above its threshold; Long.MIN_VALUE if never. */
    public long[] reachedUntil = new long[0];
    /** The expiry timer that is set; Long.MIN_VALUE before the first. */
    public long timer = Long.MIN_VALUE;

    public FraudState() {}

    FraudState(int levels) {
        reachedUntil = new long[levels];
        Arrays.fill(reachedUntil, Long.MIN_VALUE);
    }

    /**
     * Adds a purchase and returns the level that it escalates to, or -1.
     *
     * @param thresholds purchases per level, ascending; a single purchase reaches at most one of them.
     */
    int purchase(long time, int[] thresholds, long windowMillis) {
        int from = 0;
        int capacity = thresholds[thresholds.length - 1];
        while (from < recent.length && recent[from] <= time - windowMillis) {
            from++;
        }
        from = Math.max(from, recent.length + 1 - capacity);
        long[] kept = Arrays.copyOfRange(recent, from, recent.length + 1);
        kept[kept.length - 1] = time;
        recent = kept;
        int fired = -1;
        for (int level = 0; level < thresholds.length; level++) {
            if (recent.length < thresholds[level]) {
                break;
            }
            boolean armed =
                    reachedUntil[level] == Long.MIN_VALUE || time - reachedUntil[level] >= windowMillis;
            if (armed) {
                fired = level;
            }
            // The count falls below when the threshold-th newest purchase leaves the window.
            reachedUntil[level] = recent[recent.length - thresholds[level]] + windowMillis;
        }
        return fired;
    }

    /** When nothing in here can matter any more, epoch milliseconds. */
    long expires(long windowMillis) {
        long last = recent[recent.length - 1] + windowMillis;
        for (long until : reachedUntil) {
            last = until == Long.MIN_VALUE ? last : Math.max(last, until + windowMillis);
        }
        return last;
    }
}
