package realtime.analytics.source;

/** Keeps a shard's reader from running further ahead of the slowest shard than allowed, so that buffers stay small. */
final class LookAhead {
    private final long limitMillis;
    private long front = ShardReport.NONE;
    private boolean stopped;

    /** @param limitMillis how far ahead an event may be; 0 is no limit. */
    LookAhead(long limitMillis) {
        this.limitMillis = limitMillis;
    }

    /** Whether a record of this event time has to wait. */
    synchronized boolean holds(long eventTime) {
        // Nobody waits before the slowest is known: what is read until then is bounded by the start grace.
        return limitMillis > 0 && !stopped && front != ShardReport.NONE && eventTime > front + limitMillis;
    }

    /** Waits until a record of this event time may go on; false when the source is stopping. */
    synchronized boolean await(long eventTime) throws InterruptedException {
        while (holds(eventTime)) {
            wait();
        }
        return !stopped;
    }

    /** @param newFront where the slowest shard stands, epoch milliseconds. */
    synchronized void advance(long newFront) {
        front = newFront;
        notifyAll();
    }

    synchronized void stop() {
        stopped = true;
        notifyAll();
    }
}
