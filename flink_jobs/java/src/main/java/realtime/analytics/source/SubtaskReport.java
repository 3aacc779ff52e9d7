package realtime.analytics.source;

import java.io.Serializable;
import java.util.List;

/** What a source subtask tells the others, through the job manager. */
final class SubtaskReport implements Serializable {
    private static final long serialVersionUID = 1L;

    final int subtask;
    final int subtasks;
    /** Drawn anew at each start: a subtask that comes back has forgotten, and so must the others. */
    final String instance;
    /** Whether the horizon is known from an earlier run, and not to be agreed upon. */
    final boolean settled;
    /** The event time from which on this subtask knows its shards' events; {@link Horizon#UNKNOWN} before the first. */
    final long knownFrom;
    /** The same for a job that starts in this run; valid when settled. */
    final long knownToNewJobs;

    /** Null before the subtask reads: it only makes known that it starts anew. */
    final List<ShardReport> shards;

    SubtaskReport(
            int subtask,
            int subtasks,
            String instance,
            boolean settled,
            long knownFrom,
            long knownToNewJobs,
            List<ShardReport> shards) {
        this.subtask = subtask;
        this.subtasks = subtasks;
        this.instance = instance;
        this.settled = settled;
        this.knownFrom = knownFrom;
        this.knownToNewJobs = knownToNewJobs;
        this.shards = shards;
    }
}
