package realtime.analytics.source;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.runtime.taskexecutor.GlobalAggregateManager;
import org.apache.flink.util.FlinkRuntimeException;
import org.apache.flink.util.InstantiationUtil;

/**
 * Brings the source subtasks to one watermark; runs in the job manager, once per report.
 *
 * <p>One watermark for all, because a subtask that sees only its own shards is wrong about the others': when all its
 * shards were idle, or when it takes over a shard by resharding, it would let out or miss what the rest has
 * passed long ago. Reports and agreements travel as bytes, because the job manager's own class loader does not know
 * the job's classes.
 */
final class Alignment implements AggregateFunction<byte[], Alignment.Known, byte[]> {
    private static final long serialVersionUID = 1L;

    /** The latest report of each subtask, and who sent it. */
    static final class Known {
        private final Map<Integer, SubtaskReport> reports = new HashMap<>();
        private final Map<Integer, String> instances = new HashMap<>();
        private int subtasks;
        private boolean released;
        private long knownFrom = Horizon.UNKNOWN;
        private long knownToNewJobs = Horizon.UNKNOWN;
    }

    private static final String NAME = "source alignment";

    /** Reports, or only asks with null, and returns what is agreed. */
    static Agreement exchange(GlobalAggregateManager manager, SubtaskReport report) throws IOException {
        byte[] answer = manager.updateGlobalAggregate(NAME, bytes(report), new Alignment());
        return read(answer);
    }

    @Override
    public Known createAccumulator() {
        return new Known();
    }

    @Override
    public Known add(byte[] report, Known known) {
        SubtaskReport read = read(report);
        return read == null ? known : take(read, known);
    }

    @Override
    public byte[] getResult(Known known) {
        return bytes(agreement(known));
    }

    @Override
    public Known merge(Known one, Known other) {
        throw new UnsupportedOperationException("the job manager never merges");
    }

    static Known take(SubtaskReport report, Known known) {
        String before = known.instances.put(report.subtask, report.instance);
        boolean restarted = before != null && !before.equals(report.instance);
        if (restarted || known.subtasks != report.subtasks) {
            // Tasks restart together: what the others said may be older than the state they go on from.
            known.reports.clear();
            known.released = false;
            known.knownFrom = Horizon.UNKNOWN;
            known.knownToNewJobs = Horizon.UNKNOWN;
            known.subtasks = report.subtasks;
        }
        if (report.settled) {
            known.knownFrom = report.knownFrom;
            known.knownToNewJobs = report.knownToNewJobs;
        }
        if (report.shards != null) {
            known.reports.put(report.subtask, report);
        }
        if (known.reports.size() == report.subtasks && !known.released) {
            release(known);
        }
        return known;
    }

    private static void release(Known known) {
        long from = Horizon.UNKNOWN;
        for (SubtaskReport report : known.reports.values()) {
            for (ShardReport shard : report.shards) {
                if (shard.status == ShardReport.Status.WAITING) {
                    return;
                }
            }
            from = Math.max(from, report.knownFrom);
        }
        known.released = from != Horizon.UNKNOWN;
        if (known.knownFrom == Horizon.UNKNOWN) {
            known.knownFrom = from;
            known.knownToNewJobs = from;
        }
    }

    static Agreement agreement(Known known) {
        Set<String> continued = new HashSet<>();
        Map<String, Long> ended = new HashMap<>();
        for (SubtaskReport report : known.reports.values()) {
            for (ShardReport shard : report.shards) {
                continued.addAll(shard.parents);
                if (shard.ended()) {
                    ended.put(shard.shard, shard.clock);
                }
            }
        }
        boolean waiting = !known.released;
        long slowest = Long.MAX_VALUE;
        long newestIdle = ShardReport.NONE;
        long front = Long.MAX_VALUE;
        for (SubtaskReport report : known.reports.values()) {
            for (ShardReport shard : report.shards) {
                waiting |= shard.status == ShardReport.Status.WAITING;
                boolean active = shard.status == ShardReport.Status.ACTIVE;
                // Its children's events come next; until somebody reads them, it stands for them.
                boolean ending = shard.status == ShardReport.Status.ENDING && !continued.contains(shard.shard);
                if (active || ending && shard.clock != ShardReport.NONE) {
                    slowest = Math.min(slowest, shard.clock);
                }
                if (shard.status == ShardReport.Status.IDLE) {
                    newestIdle = Math.max(newestIdle, shard.clock);
                }
                if (active) {
                    front = Math.min(front, shard.front);
                }
            }
        }
        // When all are idle, nobody holds anybody: time goes on to where the foremost stopped.
        slowest = slowest == Long.MAX_VALUE ? newestIdle : slowest;
        return new Agreement(
                known.released,
                waiting ? ShardReport.NONE : slowest,
                front == Long.MAX_VALUE ? ShardReport.NONE : front,
                known.knownFrom,
                known.knownToNewJobs,
                ended);
    }

    static byte[] bytes(Object message) {
        try {
            return InstantiationUtil.serializeObject(message);
        } catch (IOException impossible) {
            throw new UncheckedIOException("reports and agreements are serializable", impossible);
        }
    }

    static <T> T read(byte[] message) {
        try {
            return InstantiationUtil.deserializeObject(message, Alignment.class.getClassLoader());
        } catch (IOException | ClassNotFoundException broken) {
            throw new FlinkRuntimeException("the source subtasks run different versions of this application", broken);
        }
    }
}
