package realtime.analytics.source;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.connectors.kinesis.serialization.KinesisDeserializationSchema;
import realtime.analytics.intake.EventContract;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;

/** Turns a Kinesis record into a decoded {@link Intake}; never null, never an exception: what is bad has a reason. */
final class IntakeSchema implements KinesisDeserializationSchema<Intake> {
    private static final long serialVersionUID = 1L;

    private final EventContract contract;
    private transient EventDecoder decoder;

    IntakeSchema(EventContract contract) {
        this.contract = contract;
    }

    @Override
    public void open(DeserializationSchema.InitializationContext context) {
        decoder = new EventDecoder(contract);
    }

    @Override
    public Intake deserialize(
            byte[] payload, String partitionKey, String sequence, long arrival, String stream, String shard) {
        Intake record = new Intake(stream, shard, sequence, arrival, PackedRecords.unescaped(payload));
        decoder.decode(record);
        return record;
    }

    @Override
    public TypeInformation<Intake> getProducedType() {
        return TypeInformation.of(Intake.class);
    }
}
