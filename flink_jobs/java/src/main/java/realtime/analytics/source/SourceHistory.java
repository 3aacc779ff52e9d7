package realtime.analytics.source;

import java.util.List;
import java.util.Set;

/**
 * What was known of the log before this run of the source, and from when on it is known completely. Event times in
 * epoch milliseconds. One a subtask; used under the checkpoint lock.
 */
final class SourceHistory {
    private final Set<String> subscribed;
    private final boolean startsAtLatest;
    private final long newest;
    private long knownFrom;

    /**
     * @param subscribed shards that the restored state holds.
     * @param newest before the restore no event was read that is later than this; {@link ShardReport#NONE} without any.
     * @param knownFrom the horizon that was restored, {@link Horizon#BEGINNING} where the stream still holds every record
     *     it ever got, else {@link Horizon#UNKNOWN}.
     */
    SourceHistory(Set<String> subscribed, boolean startsAtLatest, long newest, long knownFrom) {
        this.subscribed = Set.copyOf(subscribed);
        this.startsAtLatest = startsAtLatest;
        this.newest = newest;
        this.knownFrom = knownFrom;
    }

    boolean subscribed(String shard) {
        return subscribed.contains(shard);
    }

    /** Whether this is a first start, at the end of the stream. */
    boolean startsAtLatest() {
        return startsAtLatest && subscribed.isEmpty();
    }

    /** Whether there is nothing to agree upon. */
    boolean isKnown() {
        return knownFrom != Horizon.UNKNOWN;
    }

    /** Takes what all subtasks agreed upon, unless it is known from an earlier run. */
    void agree(long agreed) {
        if (!isKnown()) {
            knownFrom = agreed;
        }
    }

    /** From when on jobs that started with the source know every event. */
    long knownFrom() {
        return knownFrom;
    }

    /** From when on a job that starts in this run knows every event: it missed all that was read before the restore. */
    long knownToNewJobs() {
        return newest == ShardReport.NONE ? knownFrom : Math.max(knownFrom, newest + 1);
    }

    /** What a subtask tells the others; see {@link SubtaskReport}. */
    SubtaskReport report(int subtask, int subtasks, String instance, List<ShardReport> shards) {
        return new SubtaskReport(subtask, subtasks, instance, isKnown(), knownFrom, knownToNewJobs(), shards);
    }
}
