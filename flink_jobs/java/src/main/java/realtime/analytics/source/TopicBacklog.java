package realtime.analytics.source;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of silent partitions whether there is anything left to read, so that one that is slow is not taken for idle.
 * It asks the brokers, without waiting for their answer. Used by one thread.
 */
final class TopicBacklog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TopicBacklog.class);
    private static final long ASK_AGAIN_NANOS = 1_000_000_000L;

    private final String topic;
    private final Admin admin;
    private final TopicTail tail;
    private Map<String, Long> ends = Map.of();
    private KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> question;
    private long askedAt;

    TopicBacklog(String topic, Properties client) {
        this.topic = topic;
        this.admin = Admin.create(client);
        this.tail = new TopicTail(client);
    }

    /** Whether no record of the topic's partitions has been deleted: every log begins at offset 0. */
    boolean holdsEverything() throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> first = new HashMap<>();
        admin.describeTopics(List.of(topic))
                .allTopicNames()
                .get()
                .get(topic)
                .partitions()
                .forEach(each -> first.put(new TopicPartition(topic, each.partition()), OffsetSpec.earliest()));
        return admin.listOffsets(first).all().get().values().stream().allMatch(each -> each.offset() == 0);
    }

    /**
     * Asks, and takes the answers that have come. What is not asked for any more is forgotten.
     *
     * @param next of each silent partition the offset behind its last record.
     */
    void ask(Map<String, Long> next) {
        Set<String> silent = next.keySet();
        ends = new HashMap<>(ends);
        ends.keySet().retainAll(silent);
        if (question != null && question.isDone()) {
            take();
            ends.keySet().retainAll(silent);
        }
        Map<TopicPartition, Long> open = new HashMap<>();
        ends.forEach(
                (name, end) -> {
                    if (end > next.get(name)) {
                        open.put(place(name), next.get(name));
                    }
                });
        tail.look(open);
        if (question == null && !silent.isEmpty() && System.nanoTime() - askedAt >= ASK_AGAIN_NANOS) {
            Map<TopicPartition, OffsetSpec> last = new HashMap<>();
            silent.forEach(name -> last.put(place(name), OffsetSpec.latest()));
            question = admin.listOffsets(last).all();
            askedAt = System.nanoTime();
        }
    }

    private void take() {
        try {
            question.get().forEach((place, end) -> ends.put(Integer.toString(place.partition()), end.offset()));
        } catch (ExecutionException unreachable) {
            // Nobody is idle until the brokers answer.
            LOG.warn("the brokers do not tell how far {} goes", topic, unreachable);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
        question = null;
    }

    /** Whether the brokers have said, since the partition fell silent, that no record comes from this offset on. */
    boolean drained(String partition, long next) {
        Long end = ends.get(partition);
        return end != null && (end <= next || tail.isEmpty(place(partition), end));
    }

    private TopicPartition place(String partition) {
        return new TopicPartition(topic, Integer.parseInt(partition));
    }

    @Override
    public void close() {
        tail.close();
        admin.close(Duration.ZERO);
    }
}
