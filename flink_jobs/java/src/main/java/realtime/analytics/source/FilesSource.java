package realtime.analytics.source;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.source.RichSourceFunction;
import org.apache.flink.streaming.api.operators.StreamingRuntimeContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;
import realtime.analytics.intake.Reason;

/**
 * Reads the files below a prefix once: decoded records with the verdicts and the one watermark of the other sources. It
 * looks for new files for ever, or, for a backfill, reads those that are there and ends.
 *
 * <p>A listing's new files are one batch, which {@link Playback} merges by event time. A checkpoint holds the batch's files
 * and how far each partition of it was read; after a restore the batch is merged again from there.
 *
 * <p>Not the connector's FileSource: it reads one file after the other in no order of partitions, so whoever judges its
 * records cannot tell a partition that is idle from one whose files wait for their turn.
 *
 * <p>One subtask reads; the jobs behind it run with the application's parallelism.
 */
public final class FilesSource extends RichSourceFunction<Intake> implements CheckpointedFunction {
    private static final long serialVersionUID = 1L;
    private static final long NONE = ShardReport.NONE;
    private static final long NANOS = 1_000_000;
    private static final int TICK_MILLIS = 200;

    private final FilesPlan plan;
    private final SourceTimes times;
    private volatile boolean running = true;

    private transient SourceProgress progress;
    private transient SourceHistory history;
    private transient ListState<Tuple2<String, Long>> seenState;
    private transient ListState<Tuple2<String, Long>> batchState;
    private transient ListState<Tuple2<String, Long>> takenState;
    private transient FileListing listing;
    /** The files that are being read. */
    private transient Map<String, Long> batch;
    private transient Map<String, Long> taken;
    private transient PartitionLog log;
    private transient LiveRejections rejections;
    private transient EventDecoder decoder;
    private transient boolean first;
    private transient long startedAt;
    private transient long listedAt;
    private transient long markedAt;
    /** Drawn at each start; see {@link SubtaskReport}. */
    private transient String instance;

    private FilesSource(FilesPlan plan, SourceTimes times) {
        this.plan = plan;
        this.times = times;
    }

    /** The files as a stream of decoded records. */
    public static DataStream<Intake> attach(
            StreamExecutionEnvironment environment, FilesPlan plan, SourceTimes times) {
        return environment
                .addSource(
                        new FilesSource(plan, times), "files of " + plan.prefix, TypeInformation.of(Intake.class))
                .uid("source-s3");
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        OperatorStateStore store = context.getOperatorStateStore();
        progress = new SourceProgress(store);
        seenState = store.getListState(state("seen"));
        batchState = store.getListState(state("batch"));
        takenState = store.getListState(state("taken"));
        first = !context.isRestored();
        listing = new FileListing(plan.prefix, read(seenState));
        batch = new TreeMap<>(read(batchState));
        taken = read(takenState);
        long horizon = progress.horizon() == Horizon.UNKNOWN ? plan.knownFrom : progress.horizon();
        history = new SourceHistory(progress.partitions().keySet(), plan.startsAtLatest, progress.newest(), horizon);
        instance = UUID.randomUUID().toString();
        tell();
    }

    /** Tells what is known of the log; before anything runs, so that nobody takes what an earlier run had known. */
    private void tell() throws IOException {
        StreamingRuntimeContext runtime = (StreamingRuntimeContext) getRuntimeContext();
        Alignment.exchange(runtime.getGlobalAggregateManager(), history.report(0, 1, instance, null));
    }

    private static ListStateDescriptor<Tuple2<String, Long>> state(String name) {
        return new ListStateDescriptor<>(name, Types.TUPLE(Types.STRING, Types.LONG));
    }

    private static Map<String, Long> read(ListState<Tuple2<String, Long>> state) throws Exception {
        Map<String, Long> entries = new HashMap<>();
        for (Tuple2<String, Long> each : state.get()) {
            entries.put(each.f0, each.f1);
        }
        return entries;
    }

    private static void write(ListState<Tuple2<String, Long>> state, Map<String, Long> entries) throws Exception {
        state.clear();
        for (Map.Entry<String, Long> each : entries.entrySet()) {
            state.add(Tuple2.of(each.getKey(), each.getValue()));
        }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        write(seenState, listing.seen());
        write(batchState, batch);
        write(takenState, taken);
        progress.snapshot(
                log == null ? progress.partitions() : log.partitions(),
                log == null ? progress.watermark() : log.watermark(),
                history.knownFrom());
    }

    @Override
    public void run(SourceContext<Intake> context) throws Exception {
        decoder = new EventDecoder(times.futureTolerance);
        rejections = liveRejections();
        startedAt = System.nanoTime();
        synchronized (context.getCheckpointLock()) {
            log = new PartitionLog(context, progress.partitions(), progress.watermark());
            if (log.watermark() != NONE) {
                log.emitWatermark(new Watermark(log.watermark()));
            }
            if (first && plan.startsAtLatest) {
                listing.next();
            }
        }
        do {
            synchronized (context.getCheckpointLock()) {
                if (batch.isEmpty()) {
                    batch = plan.chosen(listing.next());
                }
                listedAt = System.nanoTime();
            }
            if (!batch.isEmpty()) {
                play(context.getCheckpointLock());
            }
        } while (running && !plan.bounded && rest(context.getCheckpointLock()));
    }

    private LiveRejections liveRejections() throws IOException {
        if (plan.rejections.isEmpty()) {
            return null;
        }
        LiveRejections found = new LiveRejections();
        for (String path : plan.chosen(new FileListing(plan.rejections, Map.of()).next()).keySet()) {
            found.add(path);
        }
        return found;
    }

    private void play(Object lock) throws IOException {
        try (SortedArchive archive = plan.isArchive ? new SortedArchive() : null) {
            Map<String, PartitionReader> readers;
            if (archive != null) {
                for (String path : batch.keySet()) {
                    archive.add(path);
                }
                readers = archive.readers();
            } else {
                readers = FolderReader.of(plan.prefix, batch);
            }
            try (Playback playback = new Playback(readers, taken, this::clock, decoder, times.delay)) {
                while (running && playback.peek() != null) {
                    synchronized (lock) {
                        step(playback);
                    }
                }
            }
        }
        synchronized (lock) {
            if (running) {
                batch = new TreeMap<>();
                taken = new HashMap<>();
            }
        }
    }

    private PartitionClock clock(String partition) {
        long newest = log.partition(partition).newest;
        return new PartitionClock(times.delay, newest == NONE ? Map.of() : Map.of(partition, newest));
    }

    private void step(Playback playback) throws IOException {
        if (!history.isKnown() && playback.watermark() != NONE) {
            // What came before a first event is at most the delay ahead of it, or it would have been late.
            history.agree(playback.lastToBegin() + times.delay);
            tell();
        }
        Intake record = playback.peek();
        PartitionClock clock = playback.clock();
        Watermark own = clock.getCurrentWatermark();
        if (own != null && own.getTimestamp() > plan.until) {
            playback.drop();
        } else {
            long timestamp = judge(record, clock);
            if (!record.accepted() || record.eventTime >= plan.knownFrom) {
                log.collectWithTimestamp(record, timestamp);
            }
            playback.advance();
            taken = playback.taken();
        }
        long now = System.nanoTime();
        if (now - markedAt >= TICK_MILLIS * NANOS) {
            markedAt = now;
            advance(Math.min(playback.watermark(), quiet(playback.taken())));
        }
    }

    private long judge(Intake record, PartitionClock clock) {
        if (rejections == null) {
            return clock.extractTimestamp(record, NONE);
        }
        Reason live = rejections.of(record);
        if (live != null && record.accepted()) {
            record.reject(live, "as it was judged when it arrived");
        }
        return clock.follow(record);
    }

    /** Waits for the next listing; false when the source is stopped meanwhile. */
    private boolean rest(Object lock) throws InterruptedException {
        long until = System.nanoTime() + plan.discoveryMillis * NANOS;
        synchronized (lock) {
            while (running && System.nanoTime() < until) {
                advance(quiet(Map.of()));
                lock.wait(TICK_MILLIS);
            }
        }
        return running;
    }

    private void advance(long watermark) {
        if (history.isKnown() && watermark != Long.MAX_VALUE && watermark > log.watermark()) {
            log.emitWatermark(new Watermark(watermark));
        }
    }

    /**
     * Where the partitions without files hold the watermark: the slowest of them that is not idle. One is idle when it has
     * been silent for the idle timeout and the latest listing had nothing of it. When nobody holds the watermark and
     * nothing is being read, time goes on to where the foremost stopped.
     *
     * @param reading the partitions of the batch that is being read.
     */
    private long quiet(Map<String, Long> reading) {
        if (plan.bounded) {
            return Long.MAX_VALUE;
        }
        long slowest = Long.MAX_VALUE;
        long foremost = NONE;
        for (Map.Entry<String, PartitionLog.Partition> each : log.partitions().entrySet()) {
            PartitionLog.Partition partition = each.getValue();
            foremost = Math.max(foremost, partition.newest);
            long silent = listedAt - (partition.delivered ? partition.acceptedAt : startedAt);
            boolean idle = silent >= (partition.delivered ? times.idleTimeout : times.startGrace) * NANOS;
            if (!idle && !reading.containsKey(each.getKey())) {
                slowest = Math.min(slowest, partition.newest);
            }
        }
        if (slowest == Long.MAX_VALUE && reading.isEmpty()) {
            slowest = foremost;
        }
        return slowest == Long.MAX_VALUE || slowest == NONE ? slowest : slowest - times.delay;
    }

    @Override
    public void cancel() {
        running = false;
    }
}
