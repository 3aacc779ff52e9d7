package realtime.analytics.source;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.clientlibrary.types.UserRecord;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.model.Record;
import realtime.analytics.fuzz.Foreign;

/** Any record, packed or not, gives its payloads to the decoder: never none, never an exception. */
public final class PackedRecordsFuzz {
    private static final BigInteger FROM = BigInteger.ONE.shiftLeft(127);
    private static final BigInteger TO = BigInteger.ONE.shiftLeft(128).subtract(BigInteger.ONE);

    private PackedRecordsFuzz() {}

    public static void fuzzerTestOneInput(FuzzedDataProvider data) {
        byte[] bytes = data.consumeBoolean() ? packed(data) : data.consumeBytes(60);
        byte[] whole = Foreign.damaged(data, bytes);
        byte[] sent = data.consumeBoolean() ? PackedRecordsTest.packed(whole) : whole;
        Record record =
                new Record()
                        .withData(ByteBuffer.wrap(PackedRecords.repacked(sent, FROM.toString())))
                        .withPartitionKey("k")
                        .withSequenceNumber("7")
                        .withApproximateArrivalTimestamp(new Date(5));
        List<UserRecord> given = UserRecord.deaggregate(new ArrayList<>(List.of(record)), FROM, TO);
        if (given.isEmpty()) {
            throw new AssertionError("a record is gone");
        }
        if (!given.get(0).isAggregated()
                && !Arrays.equals(sent, PackedRecords.unescaped(given.get(0).getData().array()))) {
            throw new AssertionError("the bytes have changed");
        }
    }

    private static byte[] packed(FuzzedDataProvider data) {
        byte[] message = data.consumeBoolean() ? PackedRecordsTest.KEY : new byte[0];
        for (int records = data.consumeInt(0, 3); records > 0; records--) {
            message = Foreign.join(message, PackedRecordsTest.record(data.consumeInt(-1, 2), data.consumeBytes(8)));
        }
        return data.consumeBoolean() ? PackedRecordsTest.packed(message) : message;
    }
}
