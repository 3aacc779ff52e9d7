package realtime.analytics.slots;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.transformations.OneInputTransformation;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/** A lane of two jobs. */
class UnpackTest {
    private static final OutputTag<Intake> FAILED = new OutputTag<>("failed", TypeInformation.of(Intake.class));

    private OneInputStreamOperatorTestHarness<byte[], Row> operator;
    private Unpack.Unpacked unpacked;

    @BeforeEach
    @SuppressWarnings("unchecked") // the transformation is the one that attach has made
    void open() throws Exception {
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        unpacked =
                Unpack.attach(
                        environment.fromData(PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO, new byte[0]),
                        "lane",
                        new String[] {"one", "two"},
                        new String[] {"qsdmba", "sa"},
                        new String[][] {{"q", "s", "d", "m", "b", "a"}, {"s", "a"}});
        OneInputTransformation<byte[], Row> made =
                (OneInputTransformation<byte[], Row>) unpacked.failed().getTransformation().getInputs().get(0);
        operator = new OneInputStreamOperatorTestHarness<>(made.getOperator());
        operator.open();
    }

    @AfterEach
    void close() throws Exception {
        operator.close();
    }

    private static byte[] blocks(Object... numbersAndVectors) {
        ByteBuffer out = ByteBuffer.allocate(10_000).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < numbersAndVectors.length; i += 2) {
            out.putInt((Integer) numbersAndVectors[i]).put(ColumnsTest.results((String) numbersAndVectors[i + 1]));
        }
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    private <T> List<T> side(OutputTag<T> tag) {
        List<T> found = new ArrayList<>();
        if (operator.getSideOutput(tag) != null) {
            operator.getSideOutput(tag).forEach(each -> found.add(each.getValue()));
        }
        return found;
    }

    @Test
    void rowsGoToTheirJobs() throws Exception {
        operator.processElement(new StreamRecord<>(blocks(0, "a row", 1, "texts that are not ASCII", 0, "nulls"), 5));
        List<Row> one = side(new OutputTag<>("one", unpacked.rows("one").getType()));
        assertEquals(4, one.size());
        assertEquals(1_790_000_000_000L, one.get(0).getField(0));
        assertEquals("view", one.get(0).getField(1));
        assertNull(one.get(1).getField(0));
        assertEquals(3, side(new OutputTag<>("two", unpacked.rows("two").getType())).size());
        assertEquals(List.of(), side(FAILED));
        assertEquals(0, operator.extractOutputValues().size());
    }

    @Test
    void theirTypesAreThoseOfTheKinds() {
        assertEquals(
                Types.ROW_NAMED(
                        new String[] {"q", "s", "d", "m", "b", "a"},
                        Types.LONG,
                        Types.STRING,
                        Types.DOUBLE,
                        Types.BIG_DEC,
                        Types.BOOLEAN,
                        Types.OBJECT_ARRAY(Types.STRING)),
                unpacked.rows("one").getType());
    }

    @Test
    void eventsOnWhichARuleFailedAreRejectedAndCounted() throws Exception {
        operator.processElement(new StreamRecord<>(blocks(0, "a row", -1, "failures")));
        List<Intake> failed = side(FAILED);
        assertEquals(2, failed.size());
        Intake first = failed.get(0);
        assertEquals("fraud", first.source);
        assertEquals("0f".repeat(16), first.partition);
        assertEquals("1790000000000-0", first.position);
        assertEquals(1_790_000_000_000L, first.arrival);
        assertEquals(Reason.RULE_FAILED, first.reason);
        assertEquals("fraud raised ValueError: wo ist \ud83d\ude00?", first.detail);
        assertArrayEquals("{\"user_id\": 1, \"category\": \"\u00e4\"}".getBytes(StandardCharsets.UTF_8), first.payload);
        assertFalse(first.accepted());
        assertEquals("1790000000001-1", failed.get(1).position);
        assertEquals(1, side(new OutputTag<>("one", unpacked.rows("one").getType())).size(), "the rest goes on");
    }

    @Test
    void nothingComesOfNothing() throws Exception {
        operator.processElement(new StreamRecord<>(new byte[0]));
        assertEquals(List.of(), side(FAILED));
    }
}
