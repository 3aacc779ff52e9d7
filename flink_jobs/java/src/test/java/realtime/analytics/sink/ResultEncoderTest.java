package realtime.analytics.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;
import realtime.analytics.intake.Digests;

class ResultEncoderTest {
    private static final long START = 1_763_892_000_000L;
    private static final long END = 1_763_892_300_000L;
    private static final String[] INPUTS = {"event_time", "from", "to", "user", "name", "total", "list", "flag", "score"};
    private static final String[] COLUMNS = {"name", "from", "to", "total", "list", "flag", "score"};

    private static ResultEncoder encoder(String... columns) {
        return new ResultEncoder(
                "job", "live", INPUTS, columns, new String[] {"from", "to"}, "from", "to", new String[] {"user", "name"});
    }

    private static Row row(Object eventTime, Object from, Object to) {
        return Row.of(
                eventTime, from, to, 7L, "caf\u00e9 \"\n", new BigDecimal("1000000000000000000.000000"),
                new Object[] {"a", "b"}, true, null);
    }

    @Test
    void writesTheEnvelopeThenTheColumnsInOrder() {
        KeyedJson document =
                encoder(COLUMNS).map(row(Instant.ofEpochMilli(END), Instant.ofEpochMilli(START), Instant.ofEpochMilli(END)));
        String id = Digests.resultId("job", START, END, 7L, "caf\u00e9 \"\n");
        assertEquals(
                "{\"result_type\":\"job\",\"result_id\":\"" + id + "\",\"event_time\":\"2025-11-23T10:05:00.000Z\","
                        + "\"run\":\"live\",\"name\":\"caf\u00e9 \\\"\\n\",\"from\":\"2025-11-23T10:00:00.000Z\","
                        + "\"to\":\"2025-11-23T10:05:00.000Z\",\"total\":1000000000000000000.000000,"
                        + "\"list\":[\"a\",\"b\"],\"flag\":true,\"score\":null}",
                document.text());
    }

    @Test
    void timesOfSqlJavaAndPythonAreTheSame() {
        KeyedJson java =
                encoder(COLUMNS).map(row(Instant.ofEpochMilli(END), Instant.ofEpochMilli(START), Instant.ofEpochMilli(END)));
        LocalDateTime start = LocalDateTime.ofEpochSecond(START / 1000, 0, ZoneOffset.UTC);
        LocalDateTime end = LocalDateTime.ofEpochSecond(END / 1000, 0, ZoneOffset.UTC);
        assertEquals(java.text(), encoder(COLUMNS).map(row(end, start, end)).text());
        assertEquals(java.text(), encoder(COLUMNS).map(row(END, START, END)).text());
    }

    @Test
    void thePartitionKeyIsTheSubjectsAndNotTheWindows() {
        String one = encoder(COLUMNS).map(row(END, START, END)).key;
        assertEquals(one, encoder(COLUMNS).map(row(END + 1, START + 1, END + 1)).key);
        Row other = row(END, START, END);
        other.setField(3, 8L);
        assertNotEquals(one, encoder(COLUMNS).map(other).key);
    }

    @Test
    void aColumnThatTheJobDoesNotGiveIsRefusedAtTheStart() {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> encoder("name", "nonsense"));
        assertTrue(refused.getMessage().contains("nonsense"), refused.getMessage());
    }
}
