package realtime.analytics.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.model.Shard;
import org.apache.flink.streaming.connectors.kinesis.KinesisShardAssigner;
import org.apache.flink.streaming.connectors.kinesis.model.StreamShardHandle;
import org.apache.flink.streaming.connectors.kinesis.util.UniformShardAssigner;

/**
 * Spreads shards evenly over the subtasks by their hash range, and remembers every shard that the stream lists, because
 * the connector shows each to its assigner, whichever subtask reads it.
 */
final class Lineage implements KinesisShardAssigner {
    private static final long serialVersionUID = 1L;

    private final UniformShardAssigner uniform = new UniformShardAssigner();
    private final Map<String, List<String>> parents = new ConcurrentHashMap<>();
    private volatile boolean complete;

    @Override
    public int assign(StreamShardHandle shard, int subtasks) {
        parents.put(shard.getShard().getShardId(), parentsOf(shard.getShard()));
        return uniform.assign(shard, subtasks);
    }

    boolean lists(String shard) {
        return parents.containsKey(shard);
    }

    /** Whether the stream's shards were listed once from the first to the last. */
    boolean isComplete() {
        return complete;
    }

    void completed() {
        complete = true;
    }

    /** The shards that this one continues and that the stream still lists: two after a merge, none at the beginning. */
    List<String> parents(String shard) {
        List<String> listed = new ArrayList<>(parents.getOrDefault(shard, List.of()));
        listed.removeIf(parent -> !lists(parent));
        return listed;
    }

    private static List<String> parentsOf(Shard shard) {
        List<String> all = new ArrayList<>(2);
        if (shard.getParentShardId() != null) {
            all.add(shard.getParentShardId());
        }
        if (shard.getAdjacentParentShardId() != null) {
            all.add(shard.getAdjacentParentShardId());
        }
        return all;
    }
}
