package realtime.analytics.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventTimesTest {
    @ParameterizedTest
    @CsvSource({
        "2026-11-23T10:20:30.456Z,          2026-11-23T10:20:30.456Z",
        "2026-11-23T10:20:30Z,              2026-11-23T10:20:30Z",
        "2026-11-23T10:20Z,                 2026-11-23T10:20:00Z",
        "2026-11-23T10:20,                  2026-11-23T10:20:00Z",
        "2026-11-23T10:20:30,               2026-11-23T10:20:30Z",
        "2026-11-23 10:20:30.4,             2026-11-23T10:20:30.400Z",
        "2026-11-23t10:20:30.45z,           2026-11-23T10:20:30.450Z",
        "'2026-11-23T10:20:30,456Z',        2026-11-23T10:20:30.456Z",
        "2026-11-23T10:20:30.456999999Z,    2026-11-23T10:20:30.456Z",
        "2026-11-23T10:20:30.000999Z,       2026-11-23T10:20:30Z",
        "2026-11-23T10:20:30+02:00,         2026-11-23T08:20:30Z",
        "2026-11-23T10:20:30-0530,          2026-11-23T15:50:30Z",
        "2026-11-23T10:20:30+14,            2026-11-22T20:20:30Z",
        "2026-11-23T10:20+18:00,            2026-11-22T16:20:00Z",
        "2024-02-29T00:00:00Z,              2024-02-29T00:00:00Z",
        "1970-01-01T00:00:00Z,              1970-01-01T00:00:00Z",
        "1969-12-31T23:00:00-01:00,         1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z,          9999-12-31T23:59:59.999Z"
    })
    void reads(String text, String expected) {
        assertEquals(Instant.parse(expected).toEpochMilli(), EventTimes.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "yesterday",
                "2026-11-23",
                "2026-11-23T10",
                "2026-11-23T10:2",
                "2026-11-23T10:20:",
                "2026-11-23T10:20:3",
                "2026-11-23T10:20:30.",
                "2026-11-23T10:20:30.Z",
                "2026-11-23T10:20:30.1234567890Z",
                "2026-11-23T10:20:30ZZ",
                "2026-11-23T10:20:30 ",
                "2026-11-23T10:20:30  Z",
                "2026-11-23T10:20:30 CET",
                "2026-11-23T10:20:30 utc",
                "2026-11-23T10:20:30+",
                "2026-11-23T10:20:30+2",
                "2026-11-23T10:20:30+02:",
                "2026-11-23T10:20:30+02:0",
                "2026-11-23T10:20:30+02:60",
                "2026-11-23T10:20:30+19:00",
                "2026-11-23T10:20.5Z",
                "2026-11-23T24:00:00Z",
                "2026-11-23T10:60:00Z",
                "2026-11-23T10:20:60Z",
                "2026-02-29T00:00:00Z",
                "2026-13-01T00:00:00Z",
                "2026-00-01T00:00:00Z",
                "2026-11-31T00:00:00Z",
                "2026/11/23T10:20:30Z",
                "2026-11-23X10:20:30Z",
                "-026-11-23T10:20:30Z",
                "２０２６-11-23T10:20:30Z",
                " 2026-11-23T10:20:30Z",
                "1969-12-31T23:59:59.999Z",
                "1970-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59-00:01",
                "0000-01-01T00:00:00Z"
            })
    void refuses(String text) {
        assertEquals(EventTimes.INVALID, EventTimes.parse(text));
    }

    @Test
    void agreesWithJavaTimeOnAnyInstantAndOffset() {
        Random random = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            long millis = (long) (random.nextDouble() * EventTimes.MAX_MILLIS);
            int minutes = random.nextInt(2 * 18 * 60 + 1) - 18 * 60;
            OffsetDateTime time =
                    Instant.ofEpochMilli(millis).atOffset(java.time.ZoneOffset.ofTotalSeconds(minutes * 60));
            String text = time.toString();
            if (text.length() >= 16 && Character.isDigit(text.charAt(0)) && time.getYear() <= 9999) {
                assertEquals(millis, EventTimes.parse(text), text);
            }
        }
    }
}
