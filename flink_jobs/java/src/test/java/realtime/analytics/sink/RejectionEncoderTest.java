package realtime.analytics.sink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import realtime.analytics.intake.Digests;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

class RejectionEncoderTest {
    private static final int KINESIS_RECORD = 1 << 20;

    private final RejectionEncoder encoder = new RejectionEncoder("live");

    private KeyedJson encoded(byte[] payload) {
        // The longest names that Kinesis gives, and a detail as long as any.
        Intake record = new Intake("s".repeat(128), "shardId-000000000000", "4".repeat(56), 1_763_892_060_007L, payload);
        record.reject(Reason.MALFORMED, "d".repeat(200));
        return encoder.map(record);
    }

    private static JsonNode parsed(KeyedJson document) throws IOException {
        return new ObjectMapper().readTree(document.json);
    }

    private static int kinesisBytes(KeyedJson document) {
        return document.json.length + document.key.length();
    }

    @Test
    void textStaysText() throws IOException {
        String text = "{\"a\": \"caf\u00e9 \ud83d\ude00\", \\ \u0001 \u2028";
        JsonNode json = parsed(encoded(text.getBytes(StandardCharsets.UTF_8)));
        assertEquals(text, json.get("payload").asText());
        assertEquals("utf-8", json.get("payload_encoding").asText());
        assertFalse(json.get("payload_truncated").asBoolean());
    }

    @Test
    void columnsAreThoseOfTheContractInOrder() throws IOException {
        Intake record = new Intake("in", "shard-7", "42", 1_763_892_060_007L, new byte[] {'x'});
        record.reject(Reason.LATE, "too late");
        KeyedJson document = encoder.map(record);
        List<String> names = new ArrayList<>();
        parsed(document).fieldNames().forEachRemaining(names::add);
        assertEquals(
                List.of(
                        "result_type", "result_id", "event_time", "run", "reason", "detail", "payload",
                        "payload_encoding", "payload_truncated", "source", "partition", "position", "arrival_time"),
                names);
        JsonNode json = parsed(document);
        assertEquals("late", json.get("reason").asText());
        assertEquals("2025-11-23T10:01:00.007Z", json.get("arrival_time").asText());
        assertEquals(json.get("arrival_time"), json.get("event_time"));
        String id = Digests.resultId("rejected", 0, 0, "in\u001fshard-7\u001f42");
        assertEquals(id, json.get("result_id").asText());
        assertEquals(id, document.key);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ff", "c080", "eda080", "f4908080", "61e2", "80"})
    void bytesThatAreNotUtf8AreBase64(String hex) throws IOException {
        byte[] payload = new java.math.BigInteger(hex, 16).toByteArray();
        byte[] bytes = Arrays.copyOfRange(payload, payload.length - hex.length() / 2, payload.length);
        JsonNode json = parsed(encoded(bytes));
        assertEquals("base64", json.get("payload_encoding").asText());
        assertArrayEquals(bytes, Base64.getDecoder().decode(json.get("payload").asText()));
    }

    @Test
    void anEmptyPayloadIsAnEmptyText() throws IOException {
        JsonNode json = parsed(encoded(new byte[0]));
        assertEquals("", json.get("payload").asText());
        assertEquals("utf-8", json.get("payload_encoding").asText());
    }

    /** The largest record that Kinesis takes, of the bytes that JSON makes the most of. */
    @ParameterizedTest
    @ValueSource(ints = {0x00, 0x01, 0x1f, '"', '\\', '\n', 'a', 0x7f, 0x80, 0xff})
    void anyPayloadFitsIntoAKinesisRecord(int fill) throws IOException {
        for (int size : new int[] {159_999, 160_000, 160_001, 719_999, 720_000, 720_001, KINESIS_RECORD}) {
            byte[] payload = new byte[size];
            Arrays.fill(payload, (byte) fill);
            check(payload);
        }
    }

    @Test
    void soDoesTextOfSeveralBytesACharacter() throws IOException {
        for (String character : new String[] {"\u00e9", "\u2028", "\uffff", "\ud83d\ude00"}) {
            for (int size : new int[] {160_000, 400_000, KINESIS_RECORD}) {
                int count = size / character.getBytes(StandardCharsets.UTF_8).length;
                check(character.repeat(count).getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    @Test
    void andNoise() throws IOException {
        Random random = new Random(5);
        for (int size : new int[] {1, 1_000, 160_000, 720_000, KINESIS_RECORD}) {
            byte[] payload = new byte[size];
            random.nextBytes(payload);
            check(payload);
        }
    }

    private void check(byte[] payload) throws IOException {
        KeyedJson document = encoded(payload);
        assertTrue(kinesisBytes(document) < KINESIS_RECORD, () -> kinesisBytes(document) + " bytes");
        JsonNode json = parsed(document);
        String text = json.get("payload").asText();
        byte[] kept =
                json.get("payload_encoding").asText().equals("base64")
                        ? Base64.getDecoder().decode(text)
                        : text.getBytes(StandardCharsets.UTF_8);
        boolean cut = json.get("payload_truncated").asBoolean();
        assertEquals(kept.length < payload.length, cut);
        assertArrayEquals(Arrays.copyOf(payload, kept.length), kept);
        assertEquals(payload.length > 720_000, cut);
    }
}
