package realtime.analytics.source;

import org.apache.flink.streaming.api.watermark.Watermark;

/**
 * Tells the jobs, in band and before any other watermark, from which event time on they know every event, so that no
 * result that began earlier takes the place of a complete one.
 *
 * <p>A watermark below 0 closes nothing, because event times are never negative; and of what several subtasks tell,
 * an operator sees the smallest, which is the latest horizon. So {@code -1 - knownFrom} passes through every operator
 * as it is. Two are sent: first for jobs that start now, then for jobs that started when the source did.
 */
public final class Horizon {
    /** Every event is known: the log was read from its very beginning. */
    public static final long BEGINNING = 0;

    /** Nothing was read yet. */
    static final long UNKNOWN = Long.MIN_VALUE;

    private Horizon() {}

    /** The signal that events at or after {@code knownFrom}, epoch milliseconds, are all known. */
    static Watermark signal(long knownFrom) {
        return new Watermark(-1 - knownFrom);
    }

    /** Whether the watermark is such a signal. */
    public static boolean isSignal(Watermark mark) {
        return mark.getTimestamp() < 0 && mark.getTimestamp() != Long.MIN_VALUE;
    }

    /** The event time that the signal tells. */
    public static long knownFrom(Watermark signal) {
        return -1 - signal.getTimestamp();
    }
}
