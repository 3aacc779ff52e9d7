package realtime.analytics.source;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;
import realtime.analytics.intake.Intake;

/** Reads a topic once: decoded records with per-partition verdicts and one watermark. */
public final class KafkaTopic {
    private static final String ALIGNMENT = "events";

    private KafkaTopic() {}

    /**
     * The topic as a stream of decoded records.
     *
     * @param client options of Kafka's clients, {@code bootstrap.servers} among them.
     */
    public static DataStream<Intake> attach(
            StreamExecutionEnvironment environment,
            String topic,
            Properties client,
            boolean startsAtLatest,
            SourceTimes times) {
        KafkaSource<Intake> source =
                KafkaSource.<Intake>builder()
                        .setTopics(topic)
                        .setProperties(client)
                        .setStartingOffsets(startsAtLatest ? new FromTheEnd() : OffsetsInitializer.earliest())
                        .setDeserializer(new KafkaIntakeSchema(times.contract))
                        .build();
        SingleOutputStreamOperator<Intake> records =
                environment
                        .fromSource(
                                new AnnouncingKafkaSource(source),
                                fronts(environment, times),
                                "events of " + topic,
                                TypeInformation.of(Intake.class))
                        .uid("source-msk");
        return records.transform(
                        "clocks of " + topic,
                        TypeInformation.of(Intake.class),
                        new TopicClocks(topic, client, startsAtLatest, times))
                .setParallelism(records.getParallelism())
                .uid("source-msk-clocks");
    }

    /**
     * A first start at the end. Where what was to be read next has expired, reading goes on at the oldest record that is
     * left: the connector's own would skip all that is there.
     */
    static final class FromTheEnd implements OffsetsInitializer {
        private static final long serialVersionUID = 1L;

        private final OffsetsInitializer end = OffsetsInitializer.latest();

        @Override
        public Map<TopicPartition, Long> getPartitionOffsets(
                Collection<TopicPartition> partitions, PartitionOffsetsRetriever offsets) {
            return end.getPartitionOffsets(partitions, offsets);
        }

        @Override
        public OffsetResetStrategy getAutoOffsetResetStrategy() {
            return OffsetResetStrategy.EARLIEST;
        }
    }

    private static WatermarkStrategy<Intake> fronts(StreamExecutionEnvironment environment, SourceTimes times) {
        if (times.lookAhead == 0) {
            return WatermarkStrategy.noWatermarks();
        }
        long interval = environment.getConfig().getAutoWatermarkInterval();
        return WatermarkStrategy.<Intake>forGenerator(context -> new Front())
                .withIdleness(Duration.ofMillis(times.idleTimeout))
                .withWatermarkAlignment(ALIGNMENT, Duration.ofMillis(times.lookAhead), Duration.ofMillis(interval));
    }
}
