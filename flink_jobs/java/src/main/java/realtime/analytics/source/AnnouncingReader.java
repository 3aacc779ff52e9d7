package realtime.analytics.source;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.core.io.InputStatus;
import realtime.analytics.intake.Intake;

/**
 * A connector's reader that announces each partition that it was given, before the first record of it: a record
 * without payload. So who judges the records knows of partitions that have none yet, too.
 */
@SuppressWarnings("try") // the connectors' close() may be interrupted
final class AnnouncingReader<S extends SourceSplit> implements SourceReader<Intake, S> {
    private final SourceReader<Intake, S> reader;
    private final Function<S, Intake> announcement;
    private final Queue<Intake> waiting = new ArrayDeque<>();
    private CompletableFuture<Void> available = CompletableFuture.completedFuture(null);

    AnnouncingReader(SourceReader<Intake, S> reader, Function<S, Intake> announcement) {
        this.reader = reader;
        this.announcement = announcement;
    }

    @Override
    public void start() {
        reader.start();
    }

    @Override
    public InputStatus pollNext(ReaderOutput<Intake> output) throws Exception {
        Intake next = waiting.poll();
        if (next != null) {
            output.collect(next);
            return InputStatus.MORE_AVAILABLE;
        }
        return reader.pollNext(output);
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
        CompletableFuture<Void> records = reader.isAvailable();
        if (!waiting.isEmpty() || records.isDone()) {
            return CompletableFuture.completedFuture(null);
        }
        if (available.isDone()) {
            available = new CompletableFuture<>();
        }
        CompletableFuture<Void> either = available;
        records.whenComplete((nothing, failure) -> either.complete(null));
        return either;
    }

    @Override
    public void addSplits(List<S> splits) {
        splits.forEach(split -> waiting.add(announcement.apply(split)));
        reader.addSplits(splits);
        available.complete(null);
    }

    @Override
    public List<S> snapshotState(long checkpoint) {
        return reader.snapshotState(checkpoint);
    }

    @Override
    public void notifyNoMoreSplits() {
        reader.notifyNoMoreSplits();
    }

    @Override
    public void handleSourceEvents(SourceEvent event) {
        reader.handleSourceEvents(event);
    }

    @Override
    public void pauseOrResumeSplits(Collection<String> pause, Collection<String> resume) {
        reader.pauseOrResumeSplits(pause, resume);
    }

    @Override
    public void notifyCheckpointComplete(long checkpoint) throws Exception {
        reader.notifyCheckpointComplete(checkpoint);
    }

    @Override
    public void notifyCheckpointAborted(long checkpoint) throws Exception {
        reader.notifyCheckpointAborted(checkpoint);
    }

    @Override
    public void close() throws Exception {
        reader.close();
    }
}
