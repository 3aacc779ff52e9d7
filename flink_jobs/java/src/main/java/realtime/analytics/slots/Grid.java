package realtime.analytics.slots;

/**
 * How event time is cut into slots. A slot is shorter where the events are many, so that no call of a Python job, which a
 * checkpoint's barrier must wait for, takes long. Every length divides the next longer one, and the length changes only
 * where a slot of the longest begins: so the slots of all subtasks nest.
 */
final class Grid {
    /** About the most events of a slot; a fifth of a second of Python. */
    static final long MAX_EVENTS = 20_000;

    /** What a slot is divided into, each by a divisor of the one before. */
    private static final int[] DIVISORS = {1, 2, 4, 12, 60, 300};

    private final long longest;
    private final boolean shrinks;
    private long length;
    private long next;
    private long changesAt = Long.MAX_VALUE;
    /** Start of the longest slot that is counted, and its events. */
    private long counted = Long.MIN_VALUE;

    private long events;
    private long newest = Long.MIN_VALUE;

    Grid(long longest, boolean shrinks) {
        this.longest = longest;
        this.shrinks = shrinks;
        this.length = longest;
        this.next = longest;
    }

    long lengthAt(long time) {
        return time >= changesAt ? next : length;
    }

    long startOf(long time) {
        return floor(time, lengthAt(time));
    }

    /** The end of the last whole slot before the time, which need not be in one. */
    long endBefore(long time) {
        return startOf(time);
    }

    /** Counts an event. */
    void count(long time) {
        if (!shrinks) {
            return;
        }
        newest = Math.max(newest, time);
        long slot = floor(time, longest);
        if (slot > counted) {
            counted = slot;
            events = 0;
        }
        if (slot == counted) {
            events++;
            // Not before its end: a rate that shoots up must not wait for it.
            if (events > MAX_EVENTS) {
                propose();
            }
        }
    }

    /** No event before the time follows. */
    void passed(long time) {
        if (!shrinks || time == Long.MAX_VALUE) {
            return;
        }
        if (time >= changesAt) {
            length = next;
            changesAt = Long.MAX_VALUE;
        }
        if (counted != Long.MIN_VALUE && time >= counted + longest) {
            propose();
        }
    }

    /** Changes the length where nothing has come yet; one change at a time. */
    private void propose() {
        long wanted = longest;
        for (int divisor : DIVISORS) {
            if (longest % divisor == 0) {
                wanted = longest / divisor;
                if (events / divisor <= MAX_EVENTS) {
                    break;
                }
            }
        }
        if (wanted != length && changesAt == Long.MAX_VALUE) {
            next = wanted;
            changesAt = floor(newest, longest) + longest;
        }
    }

    private static long floor(long time, long step) {
        return Math.floorDiv(time, step) * step;
    }
}
