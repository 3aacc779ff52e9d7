package realtime.analytics.source;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.taskexecutor.GlobalAggregateManager;
import org.apache.flink.streaming.api.operators.StreamingRuntimeContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.connectors.kinesis.internals.KinesisDataFetcher;
import org.apache.flink.streaming.connectors.kinesis.internals.ShardConsumer;
import org.apache.flink.streaming.connectors.kinesis.internals.publisher.RecordPublisherFactory;
import org.apache.flink.streaming.connectors.kinesis.internals.publisher.polling.PollingRecordPublisherFactory;
import org.apache.flink.streaming.connectors.kinesis.metrics.ShardConsumerMetricsReporter;
import org.apache.flink.streaming.connectors.kinesis.model.KinesisStreamShardState;
import org.apache.flink.streaming.connectors.kinesis.model.SentinelSequenceNumber;
import org.apache.flink.streaming.connectors.kinesis.model.SequenceNumber;
import org.apache.flink.streaming.connectors.kinesis.model.StreamShardHandle;
import org.apache.flink.streaming.connectors.kinesis.proxy.KinesisProxy;
import org.apache.flink.streaming.connectors.kinesis.serialization.KinesisDeserializationSchema;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;

/**
 * Reads the shards of one subtask in step with all others.
 *
 * <ul>
 *   <li>Every subtask emits the one watermark of the slowest shard of all ({@link Alignment}), and none before every
 *       shard has delivered an accepted record or its start grace is over. The connector's own fetcher knows its own
 *       shards only, and skips those that have no record yet.
 *   <li>No accepted record leaves before it is agreed from when on the log is known ({@link Horizon}), and a shard that
 *       is too far ahead waits ({@link LookAhead}).
 *   <li>A shard that resharding made is read when those that it continues are drained, whoever reads them, and
 *       goes on from their clocks. The connector reads children and parents at once.
 *   <li>A shard is idle when it has been silent for the idle timeout although the stream says that nothing is left to
 *       read: one that is throttled or back-pressured is slow, not idle.
 * </ul>
 */
final class AlignedFetcher extends KinesisDataFetcher<Intake> {
    private static final Logger LOG = LoggerFactory.getLogger(AlignedFetcher.class);
    private static final long NONE = ShardReport.NONE;
    private static final long NANOS = 1_000_000;

    /** What the log does not know of a subscribed shard. */
    private static final class Subscription {
        final String shard;
        final long since = System.nanoTime();
        /** Where the record that is being handed over moves the clock, or NONE. */
        volatile long atHand = NONE;
        /** Whether the stream said that there is more to read. */
        volatile boolean behind;
        /** When it was seen to have ended; 0 before. Under the checkpoint lock. */
        long endedAt;

        Subscription(String shard) {
            this.shard = shard;
        }
    }

    private final PartitionLog log;
    private final PartitionClock clocks;
    private final Lineage lineage;
    private final LookAhead lookAhead;
    private final SourceTimes times;
    private final SourceHistory history;
    private final GlobalAggregateManager manager;
    private final int subtask;
    private final int subtasks;
    private final String instance;
    /** By the index that the connector gives them. */
    private final Map<Integer, Subscription> subscriptions = new ConcurrentHashMap<>();
    /** Shards that wait for their parents. Only the discovering thread uses it. */
    private final Map<String, StreamShardHandle> children = new LinkedHashMap<>();

    private volatile Agreement agreement = Agreement.NOTHING;

    /**
     * @param clocks what each shard's clock is cloned from; gets the clocks of drained parents for their children.
     * @param history what was known of the log before this run.
     */
    AlignedFetcher(
            List<String> streams,
            PartitionLog log,
            RuntimeContext context,
            Properties properties,
            KinesisDeserializationSchema<Intake> schema,
            PartitionClock clocks,
            Lineage lineage,
            SourceTimes times,
            SourceHistory history,
            String instance) {
        super(streams, log, context, properties, schema, lineage, clocks, null);
        this.log = log;
        this.clocks = clocks;
        this.lineage = lineage;
        this.lookAhead = new LookAhead(times.lookAhead);
        this.times = times;
        this.history = history;
        this.instance = instance;
        this.manager = ((StreamingRuntimeContext) context).getGlobalAggregateManager();
        this.subtask = context.getIndexOfThisSubtask();
        this.subtasks = context.getNumberOfParallelSubtasks();
    }

    @Override
    public List<StreamShardHandle> discoverNewShardsToSubscribe() throws InterruptedException {
        boolean first = !lineage.isComplete();
        for (StreamShardHandle shard : super.discoverNewShardsToSubscribe()) {
            children.put(shard.getShard().getShardId(), shard);
        }
        lineage.completed();
        List<StreamShardHandle> ready = new ArrayList<>();
        for (StreamShardHandle shard : List.copyOf(children.values())) {
            String name = shard.getShard().getShardId();
            // From LATEST on, a closed shard has nothing to give and its children start where they are.
            boolean asTheyAre = first && history.startsAtLatest();
            if (asTheyAre || history.subscribed(name) || drained(lineage.parents(name))) {
                inherit(name);
                children.remove(name);
                ready.add(shard);
            }
        }
        return ready;
    }

    private boolean drained(List<String> parents) {
        return agreement.ended.keySet().containsAll(parents);
    }

    private void inherit(String shard) {
        for (String parent : lineage.parents(shard)) {
            long newest = agreement.ended.getOrDefault(parent, NONE);
            if (newest != NONE && !history.subscribed(shard)) {
                clocks.inherit(shard, newest);
                synchronized (log.getCheckpointLock()) {
                    PartitionLog.Partition partition = log.partition(shard);
                    partition.clock = Math.max(partition.clock, newest);
                }
            }
        }
    }

    @Override
    public int registerNewSubscribedShardState(KinesisStreamShardState state) {
        String name = state.getStreamShardHandle().getShard().getShardId();
        synchronized (log.getCheckpointLock()) {
            int index = super.registerNewSubscribedShardState(state);
            log.partition(name);
            subscriptions.put(index, new Subscription(name));
            return index;
        }
    }

    /** Called by the constructor of the connector's fetcher. */
    @Override
    protected RecordPublisherFactory createRecordPublisherFactory() {
        return new PollingRecordPublisherFactory(properties -> new PackedRecords(KinesisProxy.create(properties)));
    }

    @Override
    protected ShardConsumer<Intake> createShardConsumer(
            Integer index,
            StreamShardHandle shard,
            SequenceNumber from,
            MetricGroup metrics,
            KinesisDeserializationSchema<Intake> schema)
            throws InterruptedException {
        Subscription subscription = subscriptions.get(index);
        ShardConsumerMetricsReporter reporter =
                new ShardConsumerMetricsReporter(metrics) {
                    @Override
                    public void setMillisBehindLatest(long millis) {
                        subscription.behind = millis > 0;
                        super.setMillisBehindLatest(millis);
                    }
                };
        return new ShardConsumer<>(
                this,
                createRecordPublisher(from, getConsumerConfiguration(), metrics, shard),
                index,
                shard,
                from,
                reporter,
                schema);
    }

    /** Called by the readers of the shards, each in its thread. */
    @Override
    protected void emitRecordAndUpdateState(Intake record, long timestamp, int index, SequenceNumber sequence) {
        if (sequence.isAggregated()) {
            record.position = Position.of(record.position, sequence.getSubSequenceNumber());
        }
        if (!record.accepted()) {
            super.emitRecordAndUpdateState(record, timestamp, index, sequence);
            return;
        }
        Subscription subscription = subscriptions.get(index);
        subscription.atHand = record.clockTime();
        try {
            if (lookAhead.await(record.clockTime())) {
                super.emitRecordAndUpdateState(record, timestamp, index, sequence);
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        } finally {
            subscription.atHand = NONE;
        }
    }

    @Override
    public void shutdownFetcher() {
        lookAhead.stop();
        super.shutdownFetcher();
    }

    /** Called by the connector at each watermark interval. */
    @Override
    protected void emitWatermark() {
        try {
            agreement = Alignment.exchange(manager, report());
        } catch (IOException unreachable) {
            // The next interval asks again; until then this subtask's watermark stands still, which harms nobody.
            LOG.warn("no word from the job manager on the other shards' progress", unreachable);
            return;
        }
        if (agreement.front != NONE) {
            lookAhead.advance(agreement.front);
        }
        synchronized (log.getCheckpointLock()) {
            if (!lookAhead.isOpen() && agreement.knownFrom != Horizon.UNKNOWN) {
                history.agree(agreement.knownFrom);
                if (log.watermark() != NONE) {
                    log.emitWatermark(new Watermark(log.watermark()));
                }
                lookAhead.open();
            }
            if (lookAhead.isOpen() && agreement.slowest != NONE && agreement.slowest - times.delay > log.watermark()) {
                log.emitWatermark(new Watermark(agreement.slowest - times.delay));
            }
        }
    }

    private SubtaskReport report() {
        synchronized (log.getCheckpointLock()) {
            List<ShardReport> shards = new ArrayList<>(subscriptions.size());
            long knownFrom = history.knownFrom();
            List<KinesisStreamShardState> states = getSubscribedShardsState();
            for (Map.Entry<Integer, Subscription> each : subscriptions.entrySet()) {
                Subscription subscription = each.getValue();
                PartitionLog.Partition partition = log.partition(subscription.shard);
                List<String> parents = lineage.parents(subscription.shard);
                long atHand = subscription.atHand;
                if (!history.isKnown() && parents.isEmpty() && atHand != NONE) {
                    knownFrom = Math.max(knownFrom, times.knownFrom(atHand));
                }
                boolean held = atHand != NONE && lookAhead.holds(atHand);
                shards.add(
                        new ShardReport(
                                subscription.shard,
                                parents,
                                status(subscription, partition, held, states.get(each.getKey())),
                                held && partition.clock == NONE ? atHand : partition.clock,
                                held ? atHand : partition.clock));
            }
            return new SubtaskReport(
                    subtask,
                    subtasks,
                    instance,
                    history.isKnown(),
                    knownFrom,
                    history.knownToNewJobs(),
                    shards);
        }
    }

    private ShardReport.Status status(
            Subscription subscription, PartitionLog.Partition partition, boolean held, KinesisStreamShardState state) {
        long now = System.nanoTime();
        if (state.getLastProcessedSequenceNum()
                .equals(SentinelSequenceNumber.SENTINEL_SHARD_ENDING_SEQUENCE_NUM.get())) {
            subscription.endedAt = subscription.endedAt == 0 ? now : subscription.endedAt;
            boolean recent = now - subscription.endedAt < times.idleTimeout * NANOS;
            return recent ? ShardReport.Status.ENDING : ShardReport.Status.ENDED;
        }
        if (!partition.delivered && !held) {
            boolean grace = now - subscription.since < times.startGrace * NANOS;
            return grace ? ShardReport.Status.WAITING : ShardReport.Status.IDLE;
        }
        boolean quiet = subscription.atHand == NONE && !subscription.behind;
        boolean silent = partition.delivered && now - partition.acceptedAt >= times.idleTimeout * NANOS;
        return quiet && silent ? ShardReport.Status.IDLE : ShardReport.Status.ACTIVE;
    }
}
