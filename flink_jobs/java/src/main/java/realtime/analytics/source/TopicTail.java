package realtime.analytics.source;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of the offsets behind a partition's last record whether they hold records, or only ends of transactions and what
 * these took back: offsets do not show it. It reads them, without waiting. Used by one thread.
 */
final class TopicTail implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TopicTail.class);
    private static final int FETCH_BYTES = 64 << 10;

    private final Properties client;
    /** Made when it is first needed: a topic without transactions never needs it. */
    private KafkaConsumer<byte[], byte[]> consumer;
    /** From which offset on each partition is looked at. */
    private final Map<TopicPartition, Long> from = new HashMap<>();
    private final Set<TopicPartition> withRecords = new HashSet<>();

    /** @param client options of a consumer, its isolation level among them. */
    TopicTail(Properties client) {
        this.client = new Properties();
        client.stringPropertyNames().forEach(name -> this.client.setProperty(name, client.getProperty(name)));
        this.client.setProperty(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        this.client.setProperty(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, Integer.toString(FETCH_BYTES));
    }

    /**
     * Whether no record comes from where it looks on; false until that is known.
     *
     * @param end offset behind the last of the partition.
     */
    boolean isEmpty(TopicPartition place, long end) {
        try {
            return consumer != null
                    && from.containsKey(place)
                    && !withRecords.contains(place)
                    && consumer.position(place, Duration.ZERO) >= end;
        } catch (KafkaException unknown) {
            return false;
        }
    }

    /**
     * Looks further.
     *
     * @param offsets from which on each partition is looked at; all others are forgotten.
     */
    void look(Map<TopicPartition, Long> offsets) {
        if (offsets.isEmpty() && from.isEmpty()) {
            return;
        }
        try {
            if (consumer == null) {
                consumer = new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            }
            follow(offsets);
            if (!from.isEmpty()) {
                for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ZERO)) {
                    withRecords.add(new TopicPartition(each.topic(), each.partition()));
                }
                consumer.pause(withRecords);
            }
        } catch (KafkaException unreachable) {
            // Nobody is idle until the brokers answer.
            LOG.warn("the brokers do not show what transactions took back", unreachable);
        }
    }

    private void follow(Map<TopicPartition, Long> offsets) {
        if (!from.keySet().equals(offsets.keySet())) {
            consumer.assign(offsets.keySet());
        }
        from.keySet().retainAll(offsets.keySet());
        withRecords.retainAll(offsets.keySet());
        for (Map.Entry<TopicPartition, Long> each : offsets.entrySet()) {
            if (!each.getValue().equals(from.put(each.getKey(), each.getValue()))) {
                consumer.seek(each.getKey(), each.getValue());
                consumer.resume(Set.of(each.getKey()));
                withRecords.remove(each.getKey());
            }
        }
    }

    @Override
    public void close() {
        if (consumer != null) {
            consumer.close(Duration.ZERO);
        }
    }
}
