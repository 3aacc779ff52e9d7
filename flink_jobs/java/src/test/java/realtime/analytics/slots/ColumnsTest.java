package realtime.analytics.slots;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.types.Row;
import org.apache.flink.util.StringUtils;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import realtime.analytics.intake.Vectors;

/** The vectors that tests/unit/flink_jobs/engine/test_columns.py reads, too: what one side writes, the other reads. */
class ColumnsTest {
    private static final int SCALE = 6;

    private static Stream<JsonNode> vectors(String side) {
        return Vectors.read("columns.json").stream().filter(each -> each.get("side").asText().equals(side));
    }

    /** The bytes of the results that the vector of this name has. */
    static byte[] results(String name) {
        return vectors("results")
                .filter(each -> each.get("name").asText().equals(name))
                .map(each -> StringUtils.hexStringToByte(each.get("hex").asText()))
                .findFirst()
                .orElseThrow();
    }

    @TestFactory
    Stream<DynamicTest> eventsAreWrittenAsTheSharedVectorsSay() {
        return vectors("events").map(each -> DynamicTest.dynamicTest(each.get("name").asText(), () -> write(each)));
    }

    private static void write(JsonNode vector) {
        List<String> fields = new ArrayList<>();
        StringBuilder kinds = new StringBuilder();
        Iterator<Map.Entry<String, JsonNode>> each = vector.get("fields").fields();
        while (each.hasNext()) {
            Map.Entry<String, JsonNode> field = each.next();
            fields.add(field.getKey());
            kinds.append(field.getValue().asText());
        }
        int[] positions = IntStream.range(0, fields.size()).toArray();
        Lane lane =
                new Lane("l", 0, new String[0], new int[0], 1, false, fields.toArray(new String[0]), kinds.toString(), positions);
        EventColumns columns = new EventColumns(lane);
        rows(vector, kinds.toString()).forEach(columns::add);
        assertEquals(vector.get("rows").size(), columns.rows());
        assertEquals(vector.get("hex").asText(), StringUtils.byteToHexString(columns.encode()));
    }

    @TestFactory
    Stream<DynamicTest> resultsAreReadAsTheSharedVectorsSay() {
        return vectors("results").map(each -> DynamicTest.dynamicTest(each.get("name").asText(), () -> read(each)));
    }

    private static void read(JsonNode vector) {
        String kinds = vector.get("kinds").asText();
        ByteBuffer in = ByteBuffer.wrap(results(vector.get("name").asText())).order(ByteOrder.LITTLE_ENDIAN);
        List<String> found = new ArrayList<>();
        while (in.hasRemaining()) {
            ResultColumns.read(in, kinds, row -> found.add(text(row)));
        }
        assertFalse(in.hasRemaining());
        List<String> wanted = new ArrayList<>();
        rows(vector, kinds).forEach(row -> wanted.add(text(row)));
        assertEquals(wanted, found);
    }

    /** Fields with their classes: 1 is not 1.0. */
    private static String text(Row row) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < row.getArity(); i++) {
            Object field = row.getField(i);
            boolean isArray = field instanceof String[];
            text.append(field == null ? "" : field.getClass().getSimpleName())
                    .append(isArray ? Arrays.toString((String[]) field) : field)
                    .append(';');
        }
        return text.toString();
    }

    private static List<Row> rows(JsonNode vector, String kinds) {
        List<Row> rows = new ArrayList<>();
        for (JsonNode values : vector.get("rows")) {
            Row row = new Row(kinds.length());
            for (int i = 0; i < kinds.length(); i++) {
                row.setField(i, values.get(i).isNull() ? null : value(values.get(i), kinds.charAt(i)));
            }
            rows.add(row);
        }
        return rows;
    }

    private static Object value(JsonNode value, char kind) {
        switch (kind) {
            case 'q':
                return value.longValue();
            case 'd':
                return value.doubleValue();
            case 'm':
                return new BigDecimal(new BigInteger(value.textValue()), SCALE);
            case 'b':
                return value.booleanValue();
            case 'a':
                List<String> texts = new ArrayList<>();
                value.forEach(each -> texts.add(each.textValue()));
                return texts.toArray(new String[0]);
            default:
                return value.textValue();
        }
    }

    @Test
    void moreRowsThanFitAtFirst() {
        EventColumns columns = new EventColumns(Samples.lane(1, false));
        for (int i = 0; i < 1_000; i++) {
            columns.add(Samples.event(i, i).getValue());
        }
        assertEquals(1_000, Samples.times(columns.encode()).size());
        assertEquals(999L, Samples.times(columns.encode()).get(999));
    }
}
