package realtime.analytics.source;

import java.io.Serializable;

/** The source's times, in milliseconds. */
public final class SourceTimes implements Serializable {
    private static final long serialVersionUID = 1L;

    /** How far behind the largest event time of the slowest shard the watermark stays. */
    final long delay;
    /** How long a shard that was just subscribed may hold everybody until its first record. */
    final long startGrace;
    /** After which silence a shard holds nobody. */
    final long idleTimeout;
    /** How far ahead of the slowest shard an event may be; 0 is no limit. */
    final long lookAhead;
    /** How far event_time may be after the arrival. */
    final long futureTolerance;

    public SourceTimes(long delay, long startGrace, long idleTimeout, long lookAhead, long futureTolerance) {
        this.delay = delay;
        this.startGrace = startGrace;
        this.idleTimeout = idleTimeout;
        this.lookAhead = lookAhead;
        this.futureTolerance = futureTolerance;
    }
}
