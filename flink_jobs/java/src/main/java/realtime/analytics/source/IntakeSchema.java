package realtime.analytics.source;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.connectors.kinesis.serialization.KinesisDeserializationSchema;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Tolerance;

/** Turns a Kinesis record into a decoded {@link Intake}; never null, never an exception: what is bad has a reason. */
final class IntakeSchema implements KinesisDeserializationSchema<Intake> {
    private static final long serialVersionUID = 1L;

    private final Tolerance tolerance;
    private transient EventDecoder decoder;

    IntakeSchema(Tolerance tolerance) {
        this.tolerance = tolerance;
    }

    @Override
    public void open(DeserializationSchema.InitializationContext context) {
        decoder = new EventDecoder(tolerance);
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
