package realtime.analytics.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.java.typeutils.PojoTypeInfo;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventDecoderTest {
    private static final long ARRIVAL = 1_763_892_060_000L;
    private static final OwnFields NO_OWN = new OwnFields("");
    /** Of tests/vectors/own_fields.json. */
    private static final OwnFields OWN = new OwnFields("sqdb", "device", "attempt", "score", "beta");
    private static final EventContract NONE = new EventContract(new Tolerance(0, 0), NO_OWN);

    @TestFactory
    Stream<DynamicTest> decidesAsTheSharedVectorsSay() {
        return Vectors.read("payloads.json").stream()
                .map(vector -> DynamicTest.dynamicTest(vector.get("name").asText(), () -> check(vector)));
    }

    private static void check(JsonNode vector) throws IOException {
        Intake record =
                new Intake("s", "p", "1", vector.get("arrival").asLong(), vector.get("payload").binaryValue());
        Tolerance tolerance =
                new Tolerance(vector.get("future_tolerance").asLong(), vector.path("past_tolerance").asLong(0));
        new EventDecoder(new EventContract(tolerance, NO_OWN)).decode(record);
        JsonNode event = vector.get("event");
        if (event == null || event.isNull()) {
            assertNotNull(record.reason, "accepted");
            assertEquals(vector.get("reason").asText(), record.reason.code);
            assertTrue(record.detail.length() < 200, record.detail);
            return;
        }
        assertNull(record.reason, () -> "rejected: " + record.detail);
        Row row = Events.of(record, NO_OWN);
        assertEquals(Events.EVENT_REF + 1, row.getArity());
        assertEquals(event.get("event_time").asLong(), row.getField(Events.EVENT_TIME));
        assertEquals(event.get("user_id").asLong(), row.getField(Events.USER_ID));
        assertEquals(event.get("event_type").asText(), row.getField(Events.EVENT_TYPE));
        JsonNode value = event.get("value");
        assertEquals(value.isNull() ? null : (Object) value.asDouble(), row.getField(Events.VALUE));
        JsonNode amount = event.get("amount");
        assertEquals(amount.isNull() ? null : new BigDecimal(amount.asText()), row.getField(Events.AMOUNT));
        assertEquals(text(event, "session_id"), row.getField(Events.SESSION_ID));
        assertEquals(text(event, "category"), row.getField(Events.CATEGORY));
        assertEquals(text(event, "event_ref"), row.getField(Events.EVENT_REF));
    }

    /** Values: those of the row behind event_ref, in the columns' own types. */
    @TestFactory
    Stream<DynamicTest> decidesOnATeamsOwnFieldsAsTheSharedVectorsSay() {
        return Vectors.read("own_fields.json").stream()
                .map(vector -> DynamicTest.dynamicTest(vector.get("name").asText(), () -> checkOwn(vector)));
    }

    private static void checkOwn(JsonNode vector) throws IOException {
        EventDecoder decoder = new EventDecoder(new EventContract(new Tolerance(0, 0), OWN));
        Intake record = decoded(decoder, utf8(vector.get("payload").asText()));
        if (vector.has("reason")) {
            assertNotNull(record.reason, "accepted");
            assertEquals(vector.get("reason").asText(), record.reason.code);
            assertEquals(vector.get("detail").asText(), record.detail);
            return;
        }
        assertNull(record.reason, () -> "rejected: " + record.detail);
        Row row = serialized(Events.type(OWN), Events.of(serialized(TypeInformation.of(Intake.class), record), OWN));
        assertEquals(Events.EVENT_REF + 1 + OWN.count(), row.getArity());
        JsonNode wanted = vector.get("own");
        assertEquals(wanted.get(0).isNull() ? null : wanted.get(0).asText(), row.getField("device"));
        assertEquals(wanted.get(1).isNull() ? null : (Object) wanted.get(1).asLong(), row.getField("attempt"));
        assertEquals(wanted.get(2).isNull() ? null : (Object) wanted.get(2).asDouble(), row.getField("score"));
        assertEquals(wanted.get(3).isNull() ? null : (Object) wanted.get(3).asBoolean(), row.getField("beta"));
    }

    /** As it is behind an exchange. */
    private static <T> T serialized(TypeInformation<T> type, T value) throws IOException {
        TypeSerializer<T> serializer = type.createSerializer(new ExecutionConfig().getSerializerConfig());
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer.serialize(value, out);
        return serializer.deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));
    }

    @Test
    void readsNoOwnFieldThatTheContractHasNot() {
        Intake record = decoded(
                new EventDecoder(NONE),
                utf8("{\"event_time\":1,\"user_id\":1,\"event_type\":\"a\",\"device\":{\"any\":\"thing\"}}"));
        assertNull(record.reason);
        assertNull(record.own);
    }

    @Test
    void knowsFourKindsOfOwnFields() {
        assertThrows(IllegalArgumentException.class, () -> new OwnFields("x", "device"));
        assertThrows(IllegalArgumentException.class, () -> new OwnFields("ss", "device"));
    }

    /** Every exchange would fall back to Kryo, at many times the cost. */
    @Test
    void aRecordIsAPojo() {
        assertEquals(PojoTypeInfo.class, TypeInformation.of(Intake.class).getClass());
    }

    private static String text(JsonNode event, String name) {
        return event.get(name).isNull() ? null : event.get(name).asText();
    }

    private static Intake decoded(EventDecoder decoder, byte[] payload) {
        Intake record = new Intake("s", "p", "1", ARRIVAL, payload);
        decoder.decode(record);
        return record;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource({
        "0.1,                    0.100000",
        "1e18,                   1000000000000000000.000000",
        "-1E+18,                 -1000000000000000000.000000",
        "0.0000005,              0.000001",
        "-0.0000005,             -0.000001",
        "0.00000049999,          0.000000",
        "1e-999999999,           0.000000",
        "123456789012.1234565,   123456789012.123457",
        "-0.0,                   0.000000"
    })
    void roundsHalfUpToSixPlaces(String token, String expected) {
        String text = "{\"event_time\":1,\"user_id\":1,\"event_type\":\"a\",\"value\":" + token + "}";
        assertEquals(new BigDecimal(expected), decoded(new EventDecoder(NONE), utf8(text)).amount);
    }

    @Test
    void forgetsTheRecordBefore() {
        EventDecoder decoder = new EventDecoder(NONE);
        decoded(
                decoder,
                utf8("{\"event_time\":1,\"user_id\":1,\"event_type\":\"a\",\"value\":1,\"session_id\":\"s\","
                        + "\"category\":\"c\",\"event_id\":\"e\"}"));
        Intake second = decoded(decoder, utf8("{\"event_time\":1,\"user_id\":1,\"event_type\":\"a\"}"));
        assertNull(second.value);
        assertNull(second.amount);
        assertNull(second.sessionId);
        assertNull(second.category);
        assertNull(second.eventId);
        assertEquals(Reason.MISSING_FIELD, decoded(decoder, utf8("{}")).reason);
    }

    /** Every prefix, every flipped byte and random bytes get a verdict, never an exception. */
    @Test
    void neverThrows() {
        EventDecoder decoder = new EventDecoder(NONE);
        byte[] good =
                utf8("{\"event_time\":\"2025-11-23T10:00:00.5+01:00\",\"user_id\":-12,\"event_type\":\"caf\u00e9 \ud83d\ude00\","
                        + "\"value\":1.5e3,\"x\":{\"y\":[1,null,\"\\u0041\"]},\"category\":\"c\"}");
        assertNull(decoded(decoder, good).reason);
        for (int cut = 0; cut < good.length; cut++) {
            byte[] prefix = java.util.Arrays.copyOf(good, cut);
            assertEquals(Reason.MALFORMED, decoded(decoder, prefix).reason, "cut at " + cut);
        }
        for (int at = 0; at < good.length; at++) {
            for (int value = 0; value < 256; value++) {
                byte[] changed = good.clone();
                changed[at] = (byte) value;
                Intake record = decoded(decoder, changed);
                assertTrue(record.accepted() == (record.detail == null));
            }
        }
        Random random = new Random(3);
        for (int i = 0; i < 20_000; i++) {
            byte[] noise = new byte[random.nextInt(40)];
            random.nextBytes(noise);
            assertEquals(Reason.MALFORMED, decoded(decoder, noise).reason);
        }
    }

    /** A record of a mebibyte costs its reading, whatever it holds; each limit of contracts/events.py is met to the letter. */
    @Test
    void readsWithinTheLimits() {
        String start = "{\"event_time\":1,\"user_id\":1,\"event_type\":\"a\",\"value\":1,\"x\":";
        int names = 5;
        assertLimit(size -> start + "\"" + "y".repeat(size - start.length() - 3) + "\"}", EventDecoder.MAX_PAYLOAD_BYTES, "bytes");
        assertLimit(depth -> start + "[".repeat(depth - 1) + "]".repeat(depth - 1) + "}", BoundedJson.MAX_DEPTH, "nests");
        assertLimit(depth -> start + "{\"y\":".repeat(depth - 1) + "1" + "}".repeat(depth), BoundedJson.MAX_DEPTH, "nests");
        assertLimit(digits -> start + "1".repeat(digits) + "}", BoundedJson.MAX_NUMBER_LENGTH, "characters");
        assertLimit(digits -> start + "[{\"z\":0." + "1".repeat(digits - 2) + "}]}", BoundedJson.MAX_NUMBER_LENGTH, "characters");
        assertLimit(fields -> start + fields(fields - names) + "}", BoundedJson.MAX_FIELDS, "fields");
        assertLimit(fields -> start + "[" + "{\"z\":0},".repeat(fields - names) + "0]}", BoundedJson.MAX_FIELDS, "fields");
    }

    private static String fields(int count) {
        StringBuilder text = new StringBuilder("0");
        for (int i = 0; i < count; i++) {
            text.append(",\"f").append(i).append("\":0");
        }
        return text.toString();
    }

    private static void assertLimit(IntFunction<String> payload, int limit, String detail) {
        EventDecoder decoder = new EventDecoder(NONE);
        assertNull(decoded(decoder, utf8(payload.apply(limit))).detail);
        Intake beyond = decoded(decoder, utf8(payload.apply(limit + 1)));
        assertEquals(Reason.MALFORMED, beyond.reason);
        assertTrue(beyond.detail.contains(detail), beyond.detail);
    }

    /** The parser must not remember names: it would throw at some record, whatever that holds. */
    @Test
    void namesThatCollideOverManyRecordsAreNoFailure() throws IOException, MalformedException {
        EventDecoder decoder = new EventDecoder(NONE);
        JsonNode colliding =
                Vectors.read("payloads.json").stream()
                        .filter(vector -> vector.get("name").asText().equals("530 field names of one hash"))
                        .findFirst()
                        .orElseThrow();
        List<String> names = new ArrayList<>();
        new BoundedJson(10_000).read(colliding.get("payload").binaryValue(), (name, value) -> names.add(name));
        names.removeAll(List.of("event_time", "user_id", "event_type", "value"));
        assertTrue(names.size() > 500);
        for (String name : names) {
            String text = "{\"event_time\":1,\"user_id\":1,\"event_type\":\"a\",\"" + name + "\":0}";
            assertNull(decoded(decoder, utf8(text)).reason);
        }
    }
}
