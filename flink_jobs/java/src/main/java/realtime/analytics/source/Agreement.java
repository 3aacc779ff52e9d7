package realtime.analytics.source;

import java.io.Serializable;
import java.util.Collections;
import java.util.Map;

/** What all source subtasks together know. Times are event times in epoch milliseconds. */
final class Agreement implements Serializable {
    private static final long serialVersionUID = 1L;

    static final Agreement NOTHING =
            new Agreement(
                    false,
                    ShardReport.NONE,
                    ShardReport.NONE,
                    Horizon.UNKNOWN,
                    Horizon.UNKNOWN,
                    Collections.emptyMap());

    /** Whether every shard of every subtask has delivered, or its grace is over. */
    final boolean released;
    /** Largest accepted event time of the slowest shard that counts; {@link ShardReport#NONE} while nobody may go on. */
    final long slowest;
    /** Where the slowest shard stands for the look-ahead; {@link ShardReport#NONE} when no shard is known to stand. */
    final long front;
    /** Event time from which on every event is known; {@link Horizon#UNKNOWN} before that is agreed. */
    final long knownFrom;
    /** The same for a job that starts in this run. */
    final long knownToNewJobs;
    /** Shards that were read to their end, with where their clocks stand. */
    final Map<String, Long> ended;

    Agreement(
            boolean released,
            long slowest,
            long front,
            long knownFrom,
            long knownToNewJobs,
            Map<String, Long> ended) {
        this.released = released;
        this.slowest = slowest;
        this.front = front;
        this.knownFrom = knownFrom;
        this.knownToNewJobs = knownToNewJobs;
        this.ended = ended;
    }
}
