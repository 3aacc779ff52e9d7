package realtime.analytics.source;

import java.io.Serializable;
import realtime.analytics.intake.EventContract;

/** The source's times, in milliseconds, and what an event is to it. */
public final class SourceTimes implements Serializable {
    private static final long serialVersionUID = 1L;

    /** How far behind the clock of the slowest shard the watermark stays. */
    final long delay;
    /** How long a shard that was just subscribed may hold everybody until its first record. */
    final long startGrace;
    /** After which silence a shard holds nobody. */
    final long idleTimeout;
    /** How far ahead of the slowest shard an event may be; 0 is no limit. */
    final long lookAhead;
    final EventContract contract;

    public SourceTimes(long delay, long startGrace, long idleTimeout, long lookAhead, EventContract contract) {
        this.delay = delay;
        this.startGrace = startGrace;
        this.idleTimeout = idleTimeout;
        this.lookAhead = lookAhead;
        this.contract = contract;
    }

    /**
     * From which event time on a log is known completely that was read from the middle on.
     *
     * <p>The clock of what came before stands at most the delay ahead of the first event, or that one would be late; an event
     * may be ahead of the clock by the tolerance for the future.
     *
     * @param first where the first accepted event moves its partition's clock.
     */
    long knownFrom(long first) {
        return first + delay + contract.tolerance().future();
    }
}
