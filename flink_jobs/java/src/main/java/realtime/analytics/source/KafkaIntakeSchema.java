package realtime.analytics.source;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.record.TimestampType;
import realtime.analytics.intake.EventContract;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;

/** Turns a Kafka record into a decoded {@link Intake}; never null, never an exception: what is bad has a reason. */
final class KafkaIntakeSchema implements KafkaRecordDeserializationSchema<Intake> {
    private static final long serialVersionUID = 1L;

    private static final byte[] NOTHING = new byte[0];

    private final EventContract contract;
    private transient EventDecoder decoder;
    /** Names of the partitions by number: one text each, not one a record. */
    private transient Map<Integer, String> names;

    KafkaIntakeSchema(EventContract contract) {
        this.contract = contract;
    }

    @Override
    public void open(DeserializationSchema.InitializationContext context) {
        decoder = new EventDecoder(contract);
        names = new HashMap<>();
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> read, Collector<Intake> out) {
        long arrival = arrival(read);
        String partition = names.computeIfAbsent(read.partition(), number -> Integer.toString(number));
        // A tombstone is an empty record: no payload at all is how a partition is announced.
        byte[] payload = read.value() == null ? NOTHING : read.value();
        Intake record = new Intake(read.topic(), partition, Long.toString(read.offset()), arrival, payload);
        decoder.decode(record);
        out.collect(record);
    }

    /**
     * When the brokers took the record. A topic with CreateTime has its producer's clock instead, which is not believed to be
     * ahead of the one here; a record of an old client has no time, and arrives when it is read.
     */
    private static long arrival(ConsumerRecord<byte[], byte[]> read) {
        if (read.timestampType() == TimestampType.LOG_APPEND_TIME) {
            return read.timestamp();
        }
        long now = System.currentTimeMillis();
        return read.timestamp() < 0 ? now : Math.min(read.timestamp(), now);
    }

    @Override
    public TypeInformation<Intake> getProducedType() {
        return TypeInformation.of(Intake.class);
    }
}
