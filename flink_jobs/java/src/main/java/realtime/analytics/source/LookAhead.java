package realtime.analytics.source;

/**
 * Keeps a shard's reader from starting before everybody may, and from running further ahead of the slowest shard than
 * allowed, so that buffers stay small.
 */
final class LookAhead {
    private final long limitMillis;
    private long front = ShardReport.NONE;
    private boolean open;
    private boolean stopped;

    /** @param limitMillis how far ahead an event may be; 0 is no limit. */
    LookAhead(long limitMillis) {
        this.limitMillis = limitMillis;
    }

    /** Whether a record of this event time has to wait. */
    synchronized boolean holds(long eventTime) {
        boolean tooFar = limitMillis > 0 && front != ShardReport.NONE && eventTime > front + limitMillis;
        return !stopped && (!open || tooFar);
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

    synchronized void open() {
        open = true;
        notifyAll();
    }

    synchronized boolean isOpen() {
        return open;
    }

    synchronized void stop() {
        stopped = true;
        notifyAll();
    }
}
