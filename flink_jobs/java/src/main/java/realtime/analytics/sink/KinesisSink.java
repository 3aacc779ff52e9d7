package realtime.analytics.sink;

import java.util.Properties;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.connector.kinesis.sink.KinesisStreamsSink;
import org.apache.flink.connector.kinesis.sink.PartitionKeyGenerator;
import org.apache.flink.streaming.api.datastream.DataStream;

/** Writes documents to a Kinesis stream, at least once; consumers are idempotent on result_id. */
public final class KinesisSink {
    private KinesisSink() {}

    /** @param bufferMillis longest time that a document waits for its batch. */
    public static void attach(
            DataStream<KeyedJson> documents, String name, String stream, Properties properties, long bufferMillis) {
        SerializationSchema<KeyedJson> schema = document -> document.json;
        PartitionKeyGenerator<KeyedJson> keys = document -> document.key;
        documents
                .sinkTo(
                        KinesisStreamsSink.<KeyedJson>builder()
                                .setStreamName(stream)
                                .setKinesisClientProperties(properties)
                                .setSerializationSchema(schema)
                                .setPartitionKeyGenerator(keys)
                                .setMaxTimeInBufferMS(bufferMillis)
                                .build())
                .name(name + " to " + stream)
                .uid(name + "-sink");
    }
}
