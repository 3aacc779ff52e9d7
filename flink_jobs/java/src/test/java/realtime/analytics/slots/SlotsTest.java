package realtime.analytics.slots;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Messages as text: "SLOT start-end [group:content]", "WRITE group", "READ group"; and watermarks as numbers. */
class SlotsTest {
    private static final String[] KINDS = {"SLOT", "WRITE", "READ"};
    private static final int MAX_PARALLELISM = 128;
    private static final TypeInformation<Row> MESSAGE =
            Types.ROW(Types.LONG, PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO);

    private KeyedOneInputStreamOperatorTestHarness<Row, Tuple4<Long, Long, Long, byte[]>, Row> operator;

    @BeforeEach
    void open() throws Exception {
        operator = opened(null, 1, 0);
    }

    @AfterEach
    void close() throws Exception {
        operator.close();
    }

    private static KeyedOneInputStreamOperatorTestHarness<Row, Tuple4<Long, Long, Long, byte[]>, Row> opened(
            OperatorSubtaskState state, int parallelism, int subtask) throws Exception {
        KeyedOneInputStreamOperatorTestHarness<Row, Tuple4<Long, Long, Long, byte[]>, Row> operator =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new Slots(), part -> Row.of(part.f0), Types.ROW(Types.LONG), MAX_PARALLELISM, parallelism, subtask);
        operator.setup(MESSAGE.createSerializer(new SerializerConfigImpl()));
        if (state != null) {
            operator.initializeState(state);
        }
        operator.open();
        return operator;
    }

    private void wake(long group) throws Exception {
        operator.processElement(new StreamRecord<>(Part.wake(group)));
    }

    private void part(long group, long start, long end, String content) throws Exception {
        byte[] columns = content.getBytes(StandardCharsets.UTF_8);
        operator.processElement(new StreamRecord<>(Part.of(group, start, end, columns), end - 1));
    }

    private void watermark(long time) throws Exception {
        operator.processWatermark(new Watermark(time));
    }

    private void restart() throws Exception {
        OperatorSubtaskState snapshot = operator.snapshot(1, 1);
        operator.close();
        operator = opened(snapshot, 1, 0);
    }

    /** What has come out since the last call. */
    private List<Object> out() {
        List<Object> out = new ArrayList<>();
        for (Object each = operator.getOutput().poll(); each != null; each = operator.getOutput().poll()) {
            out.add(each instanceof Watermark ? ((Watermark) each).getTimestamp() : text((StreamRecord<?>) each));
        }
        return out;
    }

    private static String text(StreamRecord<?> record) {
        Row row = (Row) record.getValue();
        ByteBuffer in = ByteBuffer.wrap((byte[]) row.getField(1)).order(ByteOrder.LITTLE_ENDIAN);
        String kind = KINDS[in.get()];
        long start = in.getLong();
        long end = in.getLong();
        List<String> parts = new ArrayList<>();
        for (int left = in.getInt(); left > 0; left--) {
            int group = in.getInt();
            byte[] content = new byte[in.getInt()];
            in.get(content);
            parts.add(group + ":" + new String(content, StandardCharsets.UTF_8));
        }
        return kind.equals("SLOT") ? "SLOT " + start + "-" + end + " " + parts : kind + " " + row.getField(0);
    }

    @Test
    void aSlotIsHandedOverWholeWhenTheWatermarkHasPassedIt() throws Exception {
        part(3, 10, 20, "a");
        part(5, 10, 20, "b");
        part(3, 20, 30, "c");
        part(3, 10, 20, "d");
        assertEquals(List.of("READ 3", "READ 5"), out());
        watermark(9);
        assertEquals(List.of("SLOT 10-10 []", 9L), out());
        watermark(19);
        assertEquals(List.of("SLOT 10-20 [3:a, 5:b, 3:d]", 19L), out());
        watermark(39);
        assertEquals(List.of("SLOT 20-30 [3:c]", "SLOT 40-40 []", 39L), out());
    }

    @Test
    void slotsComeInOrderOfTime() throws Exception {
        wake(1);
        out();
        part(1, 30, 40, "c");
        part(1, 10, 20, "a");
        part(1, 20, 30, "b");
        watermark(Long.MAX_VALUE);
        long end = Long.MAX_VALUE;
        assertEquals(
                List.of("SLOT 10-20 [1:a]", "SLOT 20-30 [1:b]", "SLOT 30-40 [1:c]", "SLOT " + end + "-" + end + " []", end),
                out());
    }

    @Test
    void timePassesForEveryGroupThatIsKnown() throws Exception {
        wake(7);
        wake(2);
        assertEquals(List.of("READ 7", "READ 2"), out());
        watermark(99);
        assertEquals(List.of("SLOT 100-100 []", 99L), out());
    }

    @Test
    void aSubtaskWithoutGroupsTellsNothing() throws Exception {
        watermark(99);
        operator.prepareSnapshotPreBarrier(1);
        assertEquals(List.of(99L), out());
    }

    @Test
    void everyGroupIsWrittenAheadOfABarrier() throws Exception {
        wake(7);
        wake(2);
        out();
        operator.prepareSnapshotPreBarrier(1);
        assertEquals(List.of("WRITE 2", "WRITE 7"), out());
    }

    @Test
    void aGroupIsReadOnce() throws Exception {
        part(1, 0, 10, "a");
        wake(1);
        part(1, 0, 10, "b");
        assertEquals(List.of("READ 1"), out());
    }

    /** Subtasks pack by their own rate: one's whole minute is not over when the other's first second is. */
    @Test
    void aLongSlotWaitsForTheShortOnesOfOtherSubtasks() throws Exception {
        wake(1);
        out();
        part(1, 0, 60, "long");
        part(1, 0, 20, "first");
        watermark(19);
        assertEquals(List.of(), out(), "no time has passed for the keys");
        part(1, 20, 40, "second");
        watermark(39);
        part(1, 40, 60, "third");
        assertEquals(List.of(), out());
        watermark(59);
        assertEquals(List.of("SLOT 0-60 [1:long, 1:first, 1:second, 1:third]", 59L), out());
    }

    @Test
    void timePassesUpToASlotThatWaits() throws Exception {
        wake(1);
        out();
        part(1, 60, 120, "long");
        part(1, 40, 60, "before");
        watermark(79);
        assertEquals(List.of("SLOT 40-60 [1:before]", 59L), out());
        watermark(99);
        assertEquals(List.of(), out());
        watermark(119);
        assertEquals(List.of("SLOT 60-120 [1:long]", 119L), out());
    }

    @Test
    void whatIsAheadOutlivesARestart() throws Exception {
        part(3, 10, 20, "a");
        part(5, 20, 30, "b");
        restart();
        part(3, 10, 20, "c");
        wake(5);
        assertEquals(List.of("READ 3", "READ 5"), out());
        watermark(29);
        assertEquals(List.of("SLOT 10-20 [3:a, 3:c]", "SLOT 20-30 [5:b]", 29L), out());
    }

    @Test
    void partsOfOneSlotKeepTheirOrderOverRestarts() throws Exception {
        part(1, 0, 10, "a");
        restart();
        part(1, 0, 10, "b");
        restart();
        wake(1);
        part(1, 0, 10, "c");
        out();
        watermark(9);
        List<Object> out = out();
        assertEquals(new TreeSet<>(List.of("1:a", "1:b", "1:c")).toString(), sortedParts(out.get(0)));
        restart();
        wake(1);
        out();
        watermark(19);
        assertEquals(List.of("SLOT 20-20 []", 19L), out(), "what was handed over is gone");
    }

    private static String sortedParts(Object slot) {
        String parts = ((String) slot).replaceAll(".*\\[|\\]", "");
        return new TreeSet<>(List.of(parts.split(", "))).toString();
    }

    /** Before the restart slots were of 20, now they are of 60: all of a minute are handed over as one. */
    @Test
    void slotsOfAnotherLengthAfterARestartStayInOrder() throws Exception {
        part(1, 0, 20, "a");
        part(1, 20, 40, "b");
        part(1, 60, 80, "d");
        restart();
        wake(1);
        part(1, 0, 60, "c");
        part(1, 60, 120, "e");
        out();
        watermark(59);
        List<Object> out = out();
        assertTrue(((String) out.get(0)).startsWith("SLOT 0-60 "), out.toString());
        assertEquals(new TreeSet<>(List.of("1:a", "1:b", "1:c")).toString(), sortedParts(out.get(0)));
        watermark(119);
        out = out();
        assertTrue(((String) out.get(0)).startsWith("SLOT 60-120 "), out.toString());
        assertEquals(new TreeSet<>(List.of("1:d", "1:e")).toString(), sortedParts(out.get(0)));
    }

    @Test
    void onlyWhatCameOrWentIsWritten() throws Exception {
        wake(1);
        part(2, 10, 20, "came and went");
        watermark(19);
        operator.snapshot(1, 1);
        assertEquals(0, operator.numKeyedStateEntries());
        part(1, 20, 30, "a");
        part(2, 20, 30, "b");
        part(2, 30, 40, "c");
        assertEquals(0, operator.numKeyedStateEntries(), "nothing is written ahead of a checkpoint");
        operator.snapshot(2, 2);
        assertEquals(2, operator.numKeyedStateEntries());
        watermark(29);
        assertEquals(2, operator.numKeyedStateEntries());
        operator.snapshot(3, 3);
        assertEquals(1, operator.numKeyedStateEntries());
        watermark(39);
        operator.snapshot(4, 4);
        assertEquals(0, operator.numKeyedStateEntries());
    }

    @Test
    void groupsMoveToOtherSubtasksWithWhatIsAhead() throws Exception {
        for (long group = 0; group < Groups.COUNT; group++) {
            part(group, 10, 20, "g" + group);
        }
        OperatorSubtaskState snapshot = operator.snapshot(1, 1);
        List<OperatorSubtaskState> parts = new ArrayList<>();
        TreeSet<String> found = new TreeSet<>();
        for (int subtask = 0; subtask < 2; subtask++) {
            operator.close();
            operator =
                    opened(
                            AbstractStreamOperatorTestHarness.repartitionOperatorState(
                                    snapshot, MAX_PARALLELISM, 1, 2, subtask),
                            2,
                            subtask);
            int mine = 0;
            for (long group = 0; group < Groups.COUNT; group++) {
                if (isOf(group, 2) == subtask) {
                    wake(group);
                    mine++;
                }
            }
            assertEquals(mine, out().size());
            parts.add(operator.snapshot(2, 2));
            watermark(19);
            String slot = (String) out().get(0);
            for (String each : slot.replaceAll(".*\\[|\\]", "").split(", ")) {
                assertTrue(found.add(each), "twice: " + each);
            }
        }
        assertEquals(Groups.COUNT, found.size());
        // And together again.
        operator.close();
        operator =
                opened(
                        AbstractStreamOperatorTestHarness.repackageState(parts.get(0), parts.get(1)), 1, 0);
        for (long group = 0; group < Groups.COUNT; group++) {
            wake(group);
        }
        out();
        watermark(19);
        assertEquals(found.toString(), sortedParts(out().get(0)));
    }

    private static int isOf(long group, int parallelism) {
        return KeyGroupRangeAssignment.assignKeyToParallelOperator(
                Row.of(group), MAX_PARALLELISM, parallelism);
    }
}
