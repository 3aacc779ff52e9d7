package realtime.analytics.source;

import java.io.Serializable;
import java.util.List;

/** What a subtask says of one of its shards. Times are event times in epoch milliseconds. */
final class ShardReport implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Event time of a shard that has not delivered an accepted record. */
    static final long NONE = Long.MIN_VALUE;

    enum Status {
        /** Subscribed, nothing accepted yet, and the start grace is not over: everybody waits. */
        WAITING,
        ACTIVE,
        /** Nothing accepted for the idle timeout, and nothing left to read: nobody waits. */
        IDLE,
        /** Closed by resharding less than the idle timeout ago, and read to its end: waits for its children. */
        ENDING,
        /** Closed and read to its end. */
        ENDED
    }

    final String shard;
    /** The shards that it continues. */
    final List<String> parents;
    final Status status;
    /** Where the shard's clock stands, or {@link #NONE}. */
    final long clock;
    /** Where it stands for the others' look-ahead: the record that waits for them, else {@link #clock}. */
    final long front;

    ShardReport(String shard, List<String> parents, Status status, long clock, long front) {
        this.shard = shard;
        this.parents = parents;
        this.status = status;
        this.clock = clock;
        this.front = front;
    }

    boolean ended() {
        return status == Status.ENDED || status == Status.ENDING;
    }
}
