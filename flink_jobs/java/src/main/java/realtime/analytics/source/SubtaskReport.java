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
    /** The event time from which on this subtask knows its shards' events; {@link Horizon#UNKNOWN} before the first. */
    final long knownFrom;

    final List<ShardReport> shards;

    SubtaskReport(int subtask, int subtasks, String instance, long knownFrom, List<ShardReport> shards) {
        this.subtask = subtask;
        this.subtasks = subtasks;
        this.instance = instance;
        this.knownFrom = knownFrom;
        this.shards = shards;
    }
}
