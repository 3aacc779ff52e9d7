package realtime.analytics.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeduplicateTest {
    private static final long WINDOW = 600_000;

    private KeyedOneInputStreamOperatorTestHarness<String, Intake, Intake> harness;

    @BeforeEach
    void open() throws Exception {
        harness = harness();
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    private static KeyedOneInputStreamOperatorTestHarness<String, Intake, Intake> harness() throws Exception {
        KeyedOneInputStreamOperatorTestHarness<String, Intake, Intake> harness =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new KeyedProcessOperator<>(new Deduplicate(WINDOW)), record -> record.eventId, Types.STRING);
        harness.setup();
        return harness;
    }

    private void send(String id, long time) throws Exception {
        Intake record = new Intake("s", "p", "1", 0, new byte[0]);
        record.eventId = id;
        record.eventTime = time;
        harness.processElement(new StreamRecord<>(record, time));
    }

    private List<String> accepted() {
        return harness.extractOutputValues().stream()
                .map(record -> record.eventId + "@" + record.eventTime)
                .collect(Collectors.toList());
    }

    private List<String> duplicates() {
        List<String> records = new ArrayList<>();
        if (harness.getSideOutput(Verdicts.REJECTED) != null) {
            for (StreamRecord<Intake> record : harness.getSideOutput(Verdicts.REJECTED)) {
                assertEquals(Reason.DUPLICATE, record.getValue().reason);
                records.add(record.getValue().eventId + "@" + record.getValue().eventTime);
            }
        }
        return records;
    }

    @Test
    void aRepeatWithinTheWindowIsRejectedWhateverItsDirection() throws Exception {
        send("a", 1_000_000);
        send("a", 1_000_000);
        send("a", 1_000_000 + WINDOW - 1);
        send("a", 1_000_000 - WINDOW + 1);
        send("b", 1_000_000);
        assertEquals(List.of("a@1000000", "b@1000000"), accepted());
        assertEquals(List.of("a@1000000", "a@1599999", "a@400001"), duplicates());
    }

    @Test
    void theWindowCountsFromWhatWasAcceptedNotFromTheRepeat() throws Exception {
        send("a", 0);
        send("a", WINDOW - 1);
        send("a", WINDOW);
        send("a", 2 * WINDOW - 1);
        assertEquals(List.of("a@0", "a@600000"), accepted());
    }

    @Test
    void theWatermarkDoesNotForgetTooEarlyAndLeavesNothing() throws Exception {
        send("a", 0);
        harness.processWatermark(new Watermark(WINDOW - 2));
        send("a", WINDOW - 1);
        assertEquals(List.of("a@599999"), duplicates());
        harness.processWatermark(new Watermark(WINDOW));
        assertEquals(0, harness.numKeyedStateEntries());
        assertEquals(0, harness.numEventTimeTimers());
    }

    @Test
    void aRestoreRemembers() throws Exception {
        send("a", 0);
        OperatorSubtaskState snapshot = harness.snapshot(1, 1);
        harness.close();
        harness = harness();
        harness.initializeState(snapshot);
        harness.open();
        send("a", 1);
        send("b", 1);
        assertEquals(List.of("b@1"), accepted());
        assertEquals(List.of("a@1"), duplicates());
    }
}
