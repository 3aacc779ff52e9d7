package realtime.analytics.source;

import java.time.Duration;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
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
                        .setStartingOffsets(
                                startsAtLatest ? OffsetsInitializer.latest() : OffsetsInitializer.earliest())
                        .setDeserializer(new KafkaIntakeSchema(times.futureTolerance))
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
