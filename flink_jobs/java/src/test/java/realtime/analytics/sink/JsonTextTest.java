package realtime.analytics.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JsonTextTest {
    @Test
    void timesAreAsTheFormatterHasThem() {
        DateTimeFormatter expected =
                DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            // From the year -1 to 11,000.
            Instant time = Instant.ofEpochMilli((long) (random.nextDouble() * 347e12) - 62_200_000_000_000L);
            assertEquals(expected.format(time), JsonText.time(time));
        }
        for (long millis : new long[] {0, 1, 999, 1_000, 253_402_300_799_999L, 253_402_300_800_000L}) {
            assertEquals(expected.format(Instant.ofEpochMilli(millis)), JsonText.time(Instant.ofEpochMilli(millis)));
        }
        assertEquals("1970-01-01T00:00:00.007Z", JsonText.time(Instant.ofEpochMilli(7)));
    }
}
