package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.clientlibrary.types.UserRecord;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.model.Record;
import org.junit.jupiter.api.Test;

/** What the connector gives of a record, whatever its bytes are: each packed payload once, or the bytes as they came. */
class PackedRecordsTest {
    /** A shard of the upper half. */
    private static final BigInteger FROM = BigInteger.ONE.shiftLeft(127);
    private static final BigInteger TO = BigInteger.ONE.shiftLeft(128).subtract(BigInteger.ONE);
    static final byte[] KEY = field(1, text("key"));

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] varint(long number) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long rest = number;
        do {
            long low = rest & 0x7f;
            rest >>>= 7;
            out.write((int) (rest == 0 ? low : low | 0x80));
        } while (rest != 0);
        return out.toByteArray();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private static byte[] field(int number, byte[] content) {
        return join(varint((long) number << 3 | 2), varint(content.length), content);
    }

    static byte[] record(long keyIndex, byte[] payload) {
        return field(3, join(varint(8), varint(keyIndex), field(3, payload)));
    }

    static byte[] packed(byte[]... parts) {
        byte[] message = join(parts);
        try {
            byte[] digest = MessageDigest.getInstance("MD5").digest(message);
            return join(new byte[] {(byte) 0xf3, (byte) 0x89, (byte) 0x9a, (byte) 0xc2}, message, digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Payloads with their sub-sequence numbers, as the connector hands them to the decoder. */
    private static List<String> given(byte[] data) {
        Record record =
                new Record()
                        .withData(ByteBuffer.wrap(PackedRecords.repacked(data, FROM.toString())))
                        .withPartitionKey("k")
                        .withSequenceNumber("7")
                        .withApproximateArrivalTimestamp(new Date(5));
        return UserRecord.deaggregate(new ArrayList<>(List.of(record)), FROM, TO).stream()
                .map(
                        each ->
                                Position.of(each.getSequenceNumber(), each.getSubSequenceNumber())
                                        + ' '
                                        + shown(PackedRecords.unescaped(each.getData().array())))
                .collect(Collectors.toList());
    }

    private static String shown(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    @Test
    void aPackedRecordGivesEachOfItsRecordsWhateverTheirKeys() {
        assertEquals(
                List.of("7 a", "7.1 b", "7.2 c"),
                given(packed(KEY, record(0, text("a")), record(0, text("b")), record(0, text("c")))));
        byte[] elsewhere = field(3, join(varint(8), varint(0), varint(16), varint(0), field(3, text("d"))));
        assertEquals(List.of("7 d"), given(packed(KEY, field(2, text("-5")), elsewhere)));
        assertEquals(List.of("7 d"), given(packed(KEY, field(2, text("no number")), elsewhere)));
    }

    @Test
    void indexesThatPointNowhereStopNothing() {
        assertEquals(List.of("7 a", "7.1 b"), given(packed(KEY, record(0, text("a")), record(7, text("b")))));
        assertEquals(List.of("7 a"), given(packed(KEY, record(-1, text("a")))));
        assertEquals(List.of("7 a"), given(packed(record(0, text("a")))));
    }

    @Test
    void bytesThatOnlyLookPackedAreGivenAsTheyCame() {
        byte[] good = packed(KEY, record(0, text("a")));
        List<byte[]> others =
                List.of(
                        packed(),
                        packed(KEY),
                        packed(text("garbage")),
                        packed(KEY, field(3, join(varint(8), varint(0)))),
                        join(good, new byte[1]),
                        Arrays.copyOf(good, good.length - 1),
                        Arrays.copyOf(good, 4),
                        Arrays.copyOf(good, 3),
                        join(new byte[] {(byte) 0xf3}, good),
                        join(new byte[] {(byte) 0xf3, (byte) 0xf3}, good),
                        text("{}"),
                        new byte[0]);
        for (byte[] other : others) {
            assertEquals(List.of("7 " + shown(other)), given(other));
        }
        assertEquals(List.of("7 " + shown(good), "7.1 b"), given(packed(KEY, record(0, good), record(0, text("b")))));
    }

    @Test
    void anyChangeOfAPackedRecordGivesItsRecordsOrItsBytes() {
        byte[] good = packed(KEY, record(0, text("a")), record(0, text("b")));
        Random random = new Random(5);
        for (int i = 0; i < 20_000; i++) {
            byte[] message = Arrays.copyOfRange(good, 4, good.length - 16);
            message[random.nextInt(message.length)] = (byte) random.nextInt(256);
            byte[] changed = packed(Arrays.copyOf(message, random.nextInt(message.length + 1)));
            List<String> given = given(changed);
            boolean whole = given.equals(List.of("7 " + shown(changed)));
            boolean unpacked = given.size() >= 1 && given.stream().noneMatch(each -> each.contains("\u00f3\u0089"));
            assertEquals(true, whole || unpacked, shown(changed));
        }
    }
}
