package realtime.analytics.source;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import realtime.analytics.source.PartitionLog.Partition;

/**
 * What every source keeps in a checkpoint beside its place in the log: each partition's clock, the watermark that has
 * left, and the horizon. Any subtask may go on with any partition, so each gets the entries of all.
 */
final class SourceProgress {
    /** Partition and its clock. */
    private final ListState<Tuple2<String, Long>> partitionState;
    /** The watermark that has left, and the horizon; one entry a subtask. */
    private final ListState<Tuple2<Long, Long>> progressState;

    private final Map<String, Partition> partitions = new HashMap<>();
    private final long watermark;
    private final long horizon;
    private final boolean restored;

    SourceProgress(OperatorStateStore store) throws Exception {
        partitionState =
                store.getUnionListState(new ListStateDescriptor<>("partitions", Types.TUPLE(Types.STRING, Types.LONG)));
        progressState =
                store.getUnionListState(new ListStateDescriptor<>("progress", Types.TUPLE(Types.LONG, Types.LONG)));
        for (Tuple2<String, Long> each : partitionState.get()) {
            Partition partition = partitions.computeIfAbsent(each.f0, unseen -> new Partition());
            partition.clock = Math.max(partition.clock, each.f1);
        }
        long lowest = Long.MAX_VALUE;
        long known = Horizon.UNKNOWN;
        boolean any = false;
        for (Tuple2<Long, Long> each : progressState.get()) {
            any = true;
            // The operators have seen the smallest: they merge what the subtasks send.
            lowest = Math.min(lowest, each.f0);
            known = Math.max(known, each.f1);
        }
        watermark = lowest == Long.MAX_VALUE ? Long.MIN_VALUE : lowest;
        horizon = known;
        restored = any;
    }

    /** Whether this source goes on from a checkpoint of its own; the application may, from one of another source. */
    boolean restored() {
        return restored;
    }

    /** The restored partitions; empty at a first start. */
    Map<String, Partition> partitions() {
        return partitions;
    }

    /** The restored partitions' clocks, where they stand anywhere. */
    Map<String, Long> clocks() {
        Map<String, Long> clocks = new HashMap<>();
        for (Map.Entry<String, Partition> each : partitions.entrySet()) {
            if (each.getValue().clock != PartitionLog.NONE) {
                clocks.put(each.getKey(), each.getValue().clock);
            }
        }
        return clocks;
    }

    /** The restored watermark, or Long.MIN_VALUE. */
    long watermark() {
        return watermark;
    }

    /** The restored horizon, or {@link Horizon#UNKNOWN}. */
    long horizon() {
        return horizon;
    }

    /**
     * Before the restore no event was read that is later than this, or {@link ShardReport#NONE}: an event may be ahead of
     * its partition's clock.
     *
     * @param future how far, milliseconds.
     */
    long newest(long future) {
        long clock = partitions.values().stream().mapToLong(each -> each.clock).max().orElse(ShardReport.NONE);
        return clock == ShardReport.NONE ? clock : clock + future;
    }

    void snapshot(Map<String, Partition> current, long left, long knownFrom) throws Exception {
        partitionState.clear();
        progressState.clear();
        for (Map.Entry<String, Partition> each : current.entrySet()) {
            partitionState.add(Tuple2.of(each.getKey(), each.getValue().clock));
        }
        progressState.add(Tuple2.of(left, knownFrom));
    }
}
