package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.core.io.InputStatus;
import org.junit.jupiter.api.Test;
import realtime.analytics.intake.Intake;

/** A partition is made known when it is assigned, even if it never has a record. */
@SuppressWarnings("try")
class AnnouncingReaderTest {
    private static final class Split implements SourceSplit {
        private final String id;

        Split(String id) {
            this.id = id;
        }

        @Override
        public String splitId() {
            return id;
        }
    }

    /** Has no records, and is available when told. */
    private static final class Silent implements SourceReader<Intake, Split> {
        final CompletableFuture<Void> records = new CompletableFuture<>();
        final List<Split> splits = new ArrayList<>();

        @Override
        public void start() {}

        @Override
        public InputStatus pollNext(ReaderOutput<Intake> output) {
            return InputStatus.NOTHING_AVAILABLE;
        }

        @Override
        public List<Split> snapshotState(long checkpoint) {
            return splits;
        }

        @Override
        public CompletableFuture<Void> isAvailable() {
            return records;
        }

        @Override
        public void addSplits(List<Split> added) {
            splits.addAll(added);
        }

        @Override
        public void notifyNoMoreSplits() {}

        @Override
        public void close() {}
    }

    private static final class Collected implements ReaderOutput<Intake> {
        final List<String> partitions = new ArrayList<>();

        @Override
        public void collect(Intake record) {
            assertEquals(null, record.payload);
            partitions.add(record.partition);
        }

        @Override
        public void collect(Intake record, long timestamp) {
            collect(record);
        }

        @Override
        public void emitWatermark(Watermark watermark) {}

        @Override
        public void markIdle() {}

        @Override
        public void markActive() {}

        @Override
        public SourceOutput<Intake> createOutputForSplit(String split) {
            return this;
        }

        @Override
        public void releaseOutputForSplit(String split) {}
    }

    private final Silent silent = new Silent();
    private final AnnouncingReader<Split> reader =
            new AnnouncingReader<>(silent, split -> new Intake("topic", split.splitId(), null, 0, null));

    @Test
    void aWaitingReaderWakesForAPartitionThatHasNoRecord() throws Exception {
        CompletableFuture<Void> waiting = reader.isAvailable();
        assertFalse(waiting.isDone());
        reader.addSplits(List.of(new Split("0"), new Split("1")));
        assertTrue(waiting.isDone());
        assertEquals(2, silent.splits.size());
        Collected output = new Collected();
        assertTrue(reader.isAvailable().isDone());
        assertEquals(InputStatus.MORE_AVAILABLE, reader.pollNext(output));
        assertEquals(InputStatus.MORE_AVAILABLE, reader.pollNext(output));
        assertEquals(InputStatus.NOTHING_AVAILABLE, reader.pollNext(output));
        assertEquals(List.of("0", "1"), output.partitions);
        assertFalse(reader.isAvailable().isDone());
    }

    @Test
    void itWakesForRecordsToo() {
        CompletableFuture<Void> waiting = reader.isAvailable();
        silent.records.complete(null);
        assertTrue(waiting.isDone());
        assertTrue(reader.isAvailable().isDone());
    }
}
