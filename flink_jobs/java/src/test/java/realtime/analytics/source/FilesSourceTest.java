package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.apache.flink.streaming.api.functions.source.SourceFunction.SourceContext;
import org.apache.flink.streaming.api.operators.StreamSource;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import realtime.analytics.intake.EventContract;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.OwnFields;
import realtime.analytics.intake.Tolerance;

/** A file is deleted between its listing and its reading, which a checkpoint of that time shows. */
@Timeout(60)
class FilesSourceTest {
    private static final long START = 1_790_000_000_000L;

    @TempDir Path folder;

    private final List<String> given = new ArrayList<>();
    private AbstractStreamOperatorTestHarness<Intake> harness;
    private FilesSource source;
    /** Records until the source is stopped. */
    private int left;

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFileThatIsGoneCountsOnceHoweverOftenTheSourceIsRestored(boolean isArchive) throws Exception {
        for (int number = 0; number < 4; number++) {
            write("p/" + number, isArchive, number);
        }
        FilesPlan plan = FilesPlan.live(prefix(), isArchive, false, 10, "us-east-1");
        OperatorSubtaskState listed = run(plan, null, 1);
        Files.delete(folder.resolve("p/1"));
        Files.delete(folder.resolve("p/2"));
        given.clear();
        OperatorSubtaskState counted = run(plan, listed, isArchive ? 1 : 2);
        assertEquals(2, source.gone());
        run(plan, counted, isArchive ? 2 : 1); // the record that a checkpoint is made at comes again
        assertEquals(2, source.gone());
        assertTrue(given.contains("3"), given.toString());
    }

    @Test
    void aBackfillEndsForGoodAtAFileThatIsGone() throws Exception {
        write("1", true, 1);
        write("2", true, 2);
        FilesPlan plan = FilesPlan.backfill(prefix(), "", START, START + 10_000, Long.MAX_VALUE, "us-east-1");
        OperatorSubtaskState listed = run(plan, null, 1);
        Files.delete(folder.resolve("2"));
        IncompleteException failure = assertThrows(IncompleteException.class, () -> run(plan, listed, 1));
        assertEquals(
                folder.resolve("2").toUri() + " was deleted before the backfill had read it, and the results would be"
                        + " incomplete: restore the object's version, or choose a range without its hour, and begin again",
                failure.getMessage());
        assertTrue(ThrowableClassifier.findThrowableOfThrowableType(failure, ThrowableType.NonRecoverableError).isPresent());
    }

    /** Runs the source until it has given so many records; its checkpoint of then. */
    private OperatorSubtaskState run(FilesPlan plan, OperatorSubtaskState restored, int records) throws Exception {
        EventContract contract = new EventContract(new Tolerance(60_000, 0), new OwnFields(""));
        source = new FilesSource(plan, new SourceTimes(0, 0, 0, 0, contract));
        harness = new AbstractStreamOperatorTestHarness<>(new StreamSource<>(source), 1, 1, 0);
        if (restored != null) {
            harness.initializeState(restored);
        }
        harness.open();
        OperatorSubtaskState[] state = new OperatorSubtaskState[1];
        source.run(new Output(() -> {
            if (--left == 0) {
                state[0] = harness.snapshot(0, 0);
                source.cancel();
            }
        }, records));
        return state[0];
    }

    private interface Step {
        void run() throws Exception;
    }

    private final class Output implements SourceContext<Intake> {
        private final Step step;

        Output(Step step, int records) {
            this.step = step;
            left = records;
        }

        @Override
        public void collectWithTimestamp(Intake record, long timestamp) {
            given.add(record.position.substring(0, 1));
            try {
                step.run();
            } catch (Exception failed) {
                throw new IllegalStateException(failed);
            }
        }

        @Override
        public void collect(Intake record) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void emitWatermark(Watermark mark) {}

        @Override
        public void markAsTemporarilyIdle() {}

        @Override
        public Object getCheckpointLock() {
            return FilesSourceTest.this;
        }

        @Override
        public void close() {}
    }

    private String prefix() {
        return folder.toUri().toString();
    }

    private void write(String name, boolean isArchive, int number) throws Exception {
        String event = "{\"event_time\":" + (START + number) + ",\"user_id\":\"u\",\"event_type\":\"view\"}";
        String line = "{\"source\":\"s\",\"partition\":\"p\",\"position\":\"" + number + "\",\"arrival_time\":" + START
                + ",\"payload\":\"" + Base64.getEncoder().encodeToString(event.getBytes(StandardCharsets.UTF_8)) + "\"}";
        Files.createDirectories(folder.resolve(name).getParent());
        Files.writeString(folder.resolve(name), (isArchive ? line : event) + "\n");
    }
}
