package realtime.analytics.source;

import java.util.Map;
import java.util.Set;
import realtime.analytics.source.PartitionLog.Partition;

/**
 * Where partitions of files that have nothing to read hold the watermark. One that is silent is waited for until it is
 * idle: silent for the idle timeout, and a listing of after that had no file of it. Used under the checkpoint lock.
 */
final class Silence {
    private static final long NONE = ShardReport.NONE;
    private static final long NANOS = 1_000_000;

    private final PartitionLog log;
    private final SourceTimes times;
    private final long restoredWatermark;
    private final long startedAt = System.nanoTime();
    private long listedAt = startedAt;
    private Set<String> waiting = Set.of();

    /** @param log with the watermark that was restored. */
    Silence(PartitionLog log, SourceTimes times) {
        this.log = log;
        this.times = times;
        this.restoredWatermark = log.watermark();
    }

    /**
     * Takes a listing in.
     *
     * @param at when it began, by {@link System#nanoTime}.
     * @param unread partitions that it had files of, which wait for those that are being read.
     */
    void listed(long at, Set<String> unread) {
        listedAt = at;
        waiting = unread;
    }

    /** Whether the start grace is over. */
    boolean graceIsOver() {
        return System.nanoTime() - startedAt >= times.startGrace * NANOS;
    }

    /** Whether another listing could tell that a partition is idle; those that are being read are not asked about. */
    boolean asksForListing(Set<String> reading) {
        long now = System.nanoTime();
        for (Map.Entry<String, Partition> each : log.partitions().entrySet()) {
            Partition partition = each.getValue();
            boolean silent = now - since(partition) >= limit(partition);
            if (silent && !reading.contains(each.getKey()) && listedAt - since(partition) < limit(partition)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The watermark up to which silent partitions let time go on; Long.MAX_VALUE when none of them holds it. When nobody
     * holds it and nothing is being read, time goes on to where the foremost stopped.
     *
     * @param reading partitions that have records left.
     */
    long watermark(Set<String> reading) {
        long slowest = Long.MAX_VALUE;
        long foremost = NONE;
        for (Map.Entry<String, Partition> each : log.partitions().entrySet()) {
            Partition partition = each.getValue();
            foremost = Math.max(foremost, partition.clock);
            if (!reading.contains(each.getKey()) && !isIdle(each.getKey(), partition)) {
                slowest = Math.min(slowest, partition.clock);
            }
        }
        if (slowest == Long.MAX_VALUE && reading.isEmpty()) {
            slowest = foremost;
        }
        return slowest == Long.MAX_VALUE || slowest == NONE ? slowest : slowest - times.delay;
    }

    private boolean isIdle(String name, Partition partition) {
        return !waiting.contains(name) && listedAt - since(partition) >= limit(partition);
    }

    private long since(Partition partition) {
        return partition.delivered ? partition.acceptedAt : startedAt;
    }

    /** Nanoseconds of silence. */
    private long limit(Partition partition) {
        if (partition.delivered) {
            return times.idleTimeout * NANOS;
        }
        if (partition.clock == NONE) {
            return times.startGrace * NANOS;
        }
        // What the watermark had passed before the restore was idle then.
        return partition.clock - times.delay < restoredWatermark ? 0 : times.idleTimeout * NANOS;
    }
}
