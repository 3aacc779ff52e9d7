package realtime.analytics.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.source.RichSourceFunction;
import org.apache.flink.streaming.api.operators.StreamingRuntimeContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;
import realtime.analytics.intake.Reason;

/**
 * Reads the files below a prefix once: decoded records with the verdicts and the one watermark of the other sources. It
 * looks for new files for ever, or, for a backfill, reads those that are there and ends.
 *
 * <p>A listing's new files are one batch, which {@link Playback} merges by event time. A checkpoint holds the batch's files
 * of which something is left, and how far each partition of it was read; after a restore the batch is merged again from
 * there. A file that is broken, or gone, stops nothing: the one is a rejection, the other counts as {@code files_gone}. It
 * stops a backfill for good, whose results would be incomplete, and so does a file that S3 refuses.
 *
 * <p>At a first start at LATEST the files that are there are left out before any checkpoint can be made. The first batch
 * waits until each of their folders has a new file, or the start grace is over (an archive's always, which tells no shards):
 * what is complete is known from all of them.
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
    /** The managed service publishes the metrics of this group, and no others of ours. */
    private static final String PUBLISHED = "kinesisanalytics";

    private static final Logger LOG = LoggerFactory.getLogger(FilesSource.class);

    private final FilesPlan plan;
    private final SourceTimes times;
    private volatile boolean running = true;

    private transient SourceProgress progress;
    private transient SourceHistory history;
    private transient ListState<Tuple2<String, Long>> seenState;
    private transient ListState<Tuple2<String, Long>> batchState;
    private transient ListState<Tuple2<String, Long>> takenState;
    private transient ListState<Long> goneState;
    /** Files that were deleted before they were read, since the application's beginning. */
    private transient volatile long gone;
    private transient ArchiveMemory memory;
    /** More than any job waits beyond a result's time: the slots of Batching have a minute. */
    private static final long BEYOND_MILLIS = 3_600_000;

    private transient FileListing listing;
    /** The files that are being read. */
    private transient Map<String, Long> batch;
    /** How much of the batch had been taken before the restore. */
    private transient Map<String, Long> taken;
    private transient Playback playback;
    private transient PartitionLog log;
    private transient Silence silence;
    private transient LiveRejections rejections;
    private transient EventDecoder decoder;
    private transient long markedAt;
    /** Whether a listing is wanted although a batch is being read. */
    private transient boolean listingWanted;
    /** Drawn at each start; see {@link SubtaskReport}. */
    private transient String instance;

    FilesSource(FilesPlan plan, SourceTimes times) {
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
        S3Objects.INSTANCE.use(plan.region, plan.prefix);
        OperatorStateStore store = context.getOperatorStateStore();
        progress = new SourceProgress(store);
        seenState = store.getListState(state("seen"));
        batchState = store.getListState(state("batch"));
        takenState = store.getListState(state("taken"));
        goneState = store.getListState(new ListStateDescriptor<>("gone", Types.LONG));
        for (long each : goneState.get()) {
            gone += each;
        }
        if (!plan.bounded) {
            getRuntimeContext().getMetricGroup().addGroup(PUBLISHED).gauge("files_gone", (Gauge<Long>) () -> gone);
        }
        memory = ArchiveMemory.of(store);
        listing = new FileListing(plan.prefix, read(seenState));
        if (plan.startsAtLatest && !progress.restored()) {
            listing.take(listing.look());
        }
        batch = new TreeMap<>(read(batchState));
        taken = read(takenState);
        long horizon = progress.horizon() == Horizon.UNKNOWN ? plan.knownFrom : progress.horizon();
        long newest = progress.newest(times.contract.tolerance().future());
        history = new SourceHistory(progress.partitions().keySet(), plan.startsAtLatest, newest, horizon);
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
        write(takenState, playback == null ? taken : playback.taken());
        goneState.update(List.of(gone));
        memory.snapshot();
        progress.snapshot(
                log == null ? progress.partitions() : log.partitions(),
                log == null ? progress.watermark() : log.watermark(),
                history.knownFrom());
    }

    @Override
    public void run(SourceContext<Intake> context) throws Exception {
        decoder = new EventDecoder(times.contract);
        rejections = liveRejections();
        Object lock = context.getCheckpointLock();
        synchronized (lock) {
            log = new PartitionLog(context, progress.partitions(), progress.watermark());
            silence = new Silence(log, times);
            if (log.watermark() != NONE) {
                log.emitWatermark(new Watermark(log.watermark()));
            }
        }
        do {
            if (batch.isEmpty()) {
                discover(lock);
            }
            if (!batch.isEmpty()) {
                play(lock);
            }
        } while (running && !plan.bounded && rest(lock));
        if (running) {
            synchronized (lock) {
                conclude();
            }
        }
    }

    /**
     * The last watermark of a backfill of the source's own: how far the archive reaches. Flink's, behind it, closes what is
     * open whether it is whole or not (see {@link realtime.analytics.sink.CompleteResults}).
     */
    private void conclude() {
        long reached = log.partitions().values().stream().mapToLong(each -> each.clock).max().orElse(NONE);
        if (reached != NONE) {
            // Beyond the range nothing is of interest, and windows at its end are to close.
            advance(reached - times.delay > plan.until ? plan.until + BEYOND_MILLIS : reached - times.delay);
        }
    }

    private void discover(Object lock) throws IOException {
        long at = System.nanoTime();
        Map<String, Long> found = listing.look();
        Map<String, Long> fresh = listing.fresh(found);
        synchronized (lock) {
            silence.listed(at, Set.of());
            listing.gone(found).forEach(this::gone);
            if (!awaitsMore(fresh)) {
                batch = plan.chosen(fresh);
                listing.take(found);
            }
        }
    }

    /** Whether the first batch after a start at LATEST waits for files of other folders. */
    private boolean awaitsMore(Map<String, Long> fresh) throws IOException {
        if (history.isKnown() || silence.graceIsOver()) {
            return false;
        }
        // Which shards there are does not show in an archive's names: the whole grace is theirs.
        return plan.isArchive || !plan.partitions(fresh).containsAll(plan.partitions(listing.seen()));
    }

    private LiveRejections liveRejections() throws IOException {
        if (plan.rejections.isEmpty()) {
            return null;
        }
        LiveRejections found = new LiveRejections();
        for (String path : plan.chosen(new FileListing(plan.rejections, Map.of()).look()).keySet()) {
            try {
                found.add(path);
            } catch (FileNotFoundException deleted) {
                throw IncompleteException.deleted(path);
            }
        }
        return found;
    }

    private void play(Object lock) throws IOException {
        try (SortedArchive archive = plan.isArchive ? new SortedArchive(plan.prefix) : null) {
            try (Playback opened =
                    new Playback(readers(archive, lock), taken, name -> clock(name, lock), decoder, times.delay)) {
                synchronized (lock) {
                    playback = opened;
                }
                while (running && opened.peek() != null) {
                    if (listingWanted) {
                        look(lock);
                    }
                    synchronized (lock) {
                        step(opened);
                    }
                }
            }
            synchronized (lock) {
                if (running) {
                    if (archive != null && !plan.bounded) {
                        memory.take(archive.ranges(), batch);
                    }
                    playback = null;
                    batch = new TreeMap<>();
                    taken = new HashMap<>();
                }
            }
        }
    }

    private Map<String, PartitionReader> readers(SortedArchive archive, Object lock) throws IOException {
        if (archive == null) {
            return FolderReader.of(plan.prefix, batch, path -> finished(path, lock), path -> gone(path, lock));
        }
        for (Map.Entry<String, Long> each : List.copyOf(batch.entrySet())) {
            add(archive, each.getKey(), each.getValue(), lock);
        }
        for (String path : memory.overlapping(archive.ranges())) {
            archive.addKnown(path);
        }
        return archive.readers();
    }

    private void add(SortedArchive archive, String path, long modified, Object lock) throws IOException {
        try {
            if (plan.bounded) {
                archive.addWhole(path, modified);
            } else {
                archive.add(path, modified);
            }
        } catch (FileNotFoundException deleted) {
            if (plan.bounded) {
                throw IncompleteException.deleted(path);
            }
            synchronized (lock) {
                gone(path);
                batch.remove(path);
            }
        } catch (BrokenFileException refused) {
            throw IncompleteException.refused(path, refused);
        }
    }

    /** Of a folder: what is left of it begins with the next of its files. */
    private void gone(String path, Object lock) {
        synchronized (lock) {
            gone(path);
            finished(path, lock);
        }
    }

    /** How many files were deleted before they were read. */
    long gone() {
        return gone;
    }

    /** Counts a file; caller holds the checkpoint lock. */
    private void gone(String path) {
        gone++;
        LOG.warn("{} was deleted before it was read", path);
    }

    /** What is left of a folder begins with the next of its files. */
    private void finished(String path, Object lock) {
        synchronized (lock) {
            batch.remove(path);
            taken.remove(FolderReader.folder(plan.prefix, path));
        }
    }

    private PartitionClock clock(String partition, Object lock) {
        synchronized (lock) {
            long newest = log.partition(partition).clock;
            return new PartitionClock(times.delay, newest == NONE ? Map.of() : Map.of(partition, newest));
        }
    }

    /** Looks for files that come after the batch, to tell who is idle from who waits for it. */
    private void look(Object lock) throws IOException {
        long at = System.nanoTime();
        Map<String, Long> found = listing.look();
        Set<String> waiting = plan.partitions(listing.fresh(found));
        synchronized (lock) {
            listing.gone(found).forEach(this::gone);
            silence.listed(at, waiting);
            listingWanted = false;
        }
    }

    private void step(Playback reading) throws IOException {
        if (!history.isKnown() && reading.watermark() != NONE) {
            history.agree(times.knownFrom(reading.lastToBegin()));
            tell();
        }
        Intake record = reading.peek();
        PartitionClock clock = reading.clock();
        Watermark own = clock.getCurrentWatermark();
        if (own != null && own.getTimestamp() > plan.until) {
            reading.drop();
        } else {
            long timestamp = judge(record, clock);
            if (!record.accepted() || record.eventTime >= plan.knownFrom) {
                log.collectWithTimestamp(record, timestamp);
            }
            reading.advance();
        }
        long now = System.nanoTime();
        if (now - markedAt >= TICK_MILLIS * NANOS) {
            markedAt = now;
            long silent = plan.bounded ? Long.MAX_VALUE : silence.watermark(reading.left());
            advance(Math.min(reading.watermark(), silent));
            listingWanted = !plan.bounded && silence.asksForListing(reading.left());
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
                advance(silence.watermark(Set.of()));
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

    @Override
    public void cancel() {
        running = false;
    }

    @Override
    public void close() {
        S3Objects.INSTANCE.close();
    }
}
