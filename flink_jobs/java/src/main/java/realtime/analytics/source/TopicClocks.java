package realtime.analytics.source;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.flink.api.common.operators.ProcessingTimeService.ProcessingTimeCallback;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;

/**
 * Judges the records of a topic's partitions, each from its partition's log alone, and emits the one watermark of the
 * slowest partition of all subtasks ({@link Alignment}); chained to the connector's source, at its parallelism.
 *
 * <p>No watermark leaves before every partition has delivered an accepted record or its start grace is over. A partition
 * is idle when it has been silent for the idle timeout although the brokers say that nothing is left to read.
 *
 * <p>The connector's own watermarks per partition know no start grace, are not checkpointed and differ from subtask to
 * subtask: they only pause partitions that are too far ahead, and end here.
 */
final class TopicClocks extends AbstractStreamOperator<Intake>
        implements OneInputStreamOperator<Intake, Intake>, ProcessingTimeCallback {
    private static final long serialVersionUID = 1L;
    private static final long NONE = ShardReport.NONE;
    private static final long NANOS = 1_000_000;

    /** What the log does not know of a partition that this subtask reads. */
    private static final class Subscription {
        final long since = System.nanoTime();
        final PartitionClock clock;
        /** Where its first accepted record in this run moves the clock, or NONE. */
        long first = NONE;
        /** Offset of its last record. */
        long offset = -1;

        Subscription(PartitionClock clock) {
            this.clock = clock;
        }
    }

    private final String topic;
    private final Properties client;
    private final boolean startsAtLatest;
    private final SourceTimes times;

    private transient TopicBacklog backlog;
    private transient SourceProgress progress;
    private transient SourceHistory history;
    private transient String instance;
    private transient PartitionLog log;
    private transient Map<String, Subscription> subscriptions;
    private transient boolean open;

    TopicClocks(String topic, Properties client, boolean startsAtLatest, SourceTimes times) {
        this.topic = topic;
        this.client = client;
        this.startsAtLatest = startsAtLatest;
        this.times = times;
        this.chainingStrategy = ChainingStrategy.ALWAYS;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        progress = new SourceProgress(context.getOperatorStateStore());
        backlog = new TopicBacklog(topic, client);
        long horizon = progress.horizon();
        if (horizon == Horizon.UNKNOWN && !startsAtLatest && !context.isRestored() && backlog.holdsEverything()) {
            horizon = Horizon.BEGINNING;
        }
        long newest = progress.newest(times.contract.tolerance().future());
        history = new SourceHistory(progress.partitions().keySet(), startsAtLatest, newest, horizon);
        instance = UUID.randomUUID().toString();
        subscriptions = new HashMap<>();
        // Before anything runs, so that nobody takes what an earlier run had agreed upon.
        Alignment.exchange(getRuntimeContext().getGlobalAggregateManager(), report(null));
    }

    @Override
    public void open() throws Exception {
        super.open();
        log = new PartitionLog(new OperatorOutput(output), progress.partitions(), progress.watermark());
        onProcessingTime(getProcessingTimeService().getCurrentProcessingTime());
    }

    @Override
    public void processElement(StreamRecord<Intake> element) {
        Intake record = element.getValue();
        Subscription subscription =
                subscriptions.computeIfAbsent(
                        record.partition,
                        unseen -> new Subscription(new PartitionClock(times.delay, progress.clocks())));
        if (record.payload == null) {
            return; // announces the partition
        }
        subscription.offset = Long.parseLong(record.position);
        log.collectWithTimestamp(record, subscription.clock.extractTimestamp(record, NONE));
        if (subscription.first == NONE && record.accepted()) {
            subscription.first = record.clockTime();
        }
    }

    @Override
    public void onProcessingTime(long now) throws IOException {
        Agreement agreement =
                Alignment.exchange(getRuntimeContext().getGlobalAggregateManager(), report(shards()));
        if (!open && agreement.knownFrom != Horizon.UNKNOWN) {
            history.agree(agreement.knownFrom);
            if (log.watermark() != NONE) {
                log.emitWatermark(new Watermark(log.watermark()));
            }
            open = true;
        }
        if (open && agreement.slowest != NONE && agreement.slowest - times.delay > log.watermark()) {
            log.emitWatermark(new Watermark(agreement.slowest - times.delay));
        }
        getProcessingTimeService().registerTimer(now + getExecutionConfig().getAutoWatermarkInterval(), this);
    }

    /** The connector's; only the last one, of a stream that is drained for good, goes on. */
    @Override
    public void processWatermark(Watermark mark) {
        if (mark.equals(Watermark.MAX_WATERMARK)) {
            log.emitWatermark(mark);
        }
    }

    /** Never passed on: a subtask without active partitions follows the watermark of all, so nobody need skip it. */
    @Override
    public void processWatermarkStatus(WatermarkStatus status) {}

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        progress.snapshot(log.partitions(), log.watermark(), history.knownFrom());
    }

    @Override
    public void close() throws Exception {
        if (backlog != null) {
            backlog.close();
        }
        super.close();
    }

    private SubtaskReport report(List<ShardReport> shards) {
        long knownFrom = history.knownFrom();
        if (!history.isKnown()) {
            for (Subscription each : subscriptions.values()) {
                knownFrom = each.first == NONE ? knownFrom : Math.max(knownFrom, times.knownFrom(each.first));
            }
        }
        return new SubtaskReport(
                getRuntimeContext().getTaskInfo().getIndexOfThisSubtask(),
                getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks(),
                instance,
                history.isKnown(),
                knownFrom,
                history.knownToNewJobs(),
                shards);
    }

    private List<ShardReport> shards() {
        Map<String, Long> silent = new HashMap<>();
        long now = System.nanoTime();
        for (Map.Entry<String, Subscription> each : subscriptions.entrySet()) {
            PartitionLog.Partition partition = log.partition(each.getKey());
            if (partition.delivered && now - partition.acceptedAt >= times.idleTimeout * NANOS) {
                silent.put(each.getKey(), each.getValue().offset + 1);
            }
        }
        backlog.ask(silent);
        List<ShardReport> shards = new ArrayList<>(subscriptions.size());
        for (Map.Entry<String, Subscription> each : subscriptions.entrySet()) {
            PartitionLog.Partition partition = log.partition(each.getKey());
            ShardReport.Status status = ShardReport.Status.ACTIVE;
            if (!partition.delivered) {
                boolean grace = now - each.getValue().since < times.startGrace * NANOS;
                status = grace ? ShardReport.Status.WAITING : ShardReport.Status.IDLE;
            } else if (silent.containsKey(each.getKey())
                    && backlog.drained(each.getKey(), silent.get(each.getKey()))) {
                status = ShardReport.Status.IDLE;
            }
            shards.add(new ShardReport(each.getKey(), List.of(), status, partition.clock, partition.clock));
        }
        return shards;
    }
}
