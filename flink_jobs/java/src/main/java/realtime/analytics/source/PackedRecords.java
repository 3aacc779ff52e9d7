package realtime.analytics.source;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Map;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.clientlibrary.types.Messages;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.clientlibrary.types.Messages.AggregatedRecord;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.model.GetRecordsResult;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.model.Record;
import org.apache.flink.kinesis.shaded.com.google.protobuf.ByteString;
import org.apache.flink.kinesis.shaded.com.google.protobuf.InvalidProtocolBufferException;
import org.apache.flink.streaming.connectors.kinesis.model.StreamShardHandle;
import org.apache.flink.streaming.connectors.kinesis.proxy.GetShardListResult;
import org.apache.flink.streaming.connectors.kinesis.proxy.KinesisProxyInterface;

/**
 * Reads a shard so that the connector unpacks each record that the Kinesis Producer Library has packed, and no other.
 *
 * <p>The connector's unpacking throws on a packed record whose indexes point nowhere, and the job would read that record
 * for ever. It drops records in silence whose key belongs to another shard, and a packed record without any. So a packed
 * record is packed anew with a key of this shard: all of its records are given, as Firehose gives them. What only looks
 * packed is escaped, so the decoder gets its bytes as they came.
 *
 * <p>Format: "KPL Aggregated Record Format" of amazon-kinesis-producer.
 */
final class PackedRecords implements KinesisProxyInterface {
    private static final byte[] MAGIC = {(byte) 0xf3, (byte) 0x89, (byte) 0x9a, (byte) 0xc2};
    private static final int DIGEST_BYTES = 16;

    private final KinesisProxyInterface stream;
    private String hashKey;

    /** @param stream is asked; one instance a shard. */
    PackedRecords(KinesisProxyInterface stream) {
        this.stream = stream;
    }

    @Override
    public String getShardIterator(StreamShardHandle shard, String type, Object marker) throws InterruptedException {
        hashKey = shard.getShard().getHashKeyRange().getStartingHashKey();
        return stream.getShardIterator(shard, type, marker);
    }

    @Override
    public GetRecordsResult getRecords(String iterator, int most) throws InterruptedException {
        GetRecordsResult read = stream.getRecords(iterator, most);
        for (Record record : read.getRecords()) {
            ByteBuffer data = record.getData();
            if (data.hasRemaining() && data.get(data.position()) == MAGIC[0]) {
                byte[] bytes = new byte[data.remaining()];
                data.duplicate().get(bytes);
                record.setData(ByteBuffer.wrap(repacked(bytes, hashKey)));
            }
        }
        return read;
    }

    @Override
    public GetShardListResult getShardList(Map<String, String> after) throws InterruptedException {
        return stream.getShardList(after);
    }

    /** A packed record whose records all belong to the shard of {@code hashKey}; any other bytes escaped. */
    static byte[] repacked(byte[] data, String hashKey) {
        AggregatedRecord packed = packed(data);
        if (packed == null) {
            return escaped(data);
        }
        AggregatedRecord.Builder anew =
                AggregatedRecord.newBuilder().addPartitionKeyTable("").addExplicitHashKeyTable(hashKey);
        for (Messages.Record each : packed.getRecordsList()) {
            anew.addRecordsBuilder()
                    .setPartitionKeyIndex(0)
                    .setExplicitHashKeyIndex(0)
                    .setData(ByteString.copyFrom(escaped(each.getData().toByteArray())));
        }
        byte[] message = anew.build().toByteArray();
        byte[] whole = Arrays.copyOf(MAGIC, MAGIC.length + message.length + DIGEST_BYTES);
        System.arraycopy(message, 0, whole, MAGIC.length, message.length);
        System.arraycopy(md5(message), 0, whole, MAGIC.length + message.length, DIGEST_BYTES);
        return whole;
    }

    /** The payload as its producer wrote it. */
    static byte[] unescaped(byte[] payload) {
        return marks(payload) > 1 ? Arrays.copyOfRange(payload, 1, payload.length) : payload;
    }

    private static byte[] escaped(byte[] payload) {
        if (marks(payload) == 0) {
            return payload;
        }
        byte[] escaped = new byte[payload.length + 1];
        escaped[0] = MAGIC[0];
        System.arraycopy(payload, 0, escaped, 1, payload.length);
        return escaped;
    }

    /** How often the first byte of the magic number stands in front of the rest of it; 0 where that does not follow. */
    private static int marks(byte[] payload) {
        int count = 0;
        while (count < payload.length && payload[count] == MAGIC[0]) {
            count++;
        }
        boolean follows =
                count > 0
                        && payload.length >= count + MAGIC.length - 1
                        && Arrays.equals(payload, count, count + MAGIC.length - 1, MAGIC, 1, MAGIC.length);
        return follows ? count : 0;
    }

    /** What was packed, or null where the bytes are no packed record with at least one. */
    private static AggregatedRecord packed(byte[] data) {
        int end = data.length - DIGEST_BYTES;
        if (marks(data) != 1 || end <= MAGIC.length) {
            return null;
        }
        byte[] message = Arrays.copyOfRange(data, MAGIC.length, end);
        if (!Arrays.equals(md5(message), Arrays.copyOfRange(data, end, data.length))) {
            return null;
        }
        try {
            AggregatedRecord packed = AggregatedRecord.parseFrom(message);
            return packed.getRecordsCount() == 0 ? null : packed;
        } catch (InvalidProtocolBufferException broken) {
            return null;
        }
    }

    private static byte[] md5(byte[] message) {
        try {
            return MessageDigest.getInstance("MD5").digest(message);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java platform has MD5", impossible);
        }
    }
}
