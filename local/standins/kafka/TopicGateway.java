import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Makes topics and writes records over HTTP, so that a Python producer needs no Kafka client of its own.
 *
 * <p>Run from source (`java -cp "lib/*" TopicGateway.java BROKER PORT`). The producer is idempotent: while the broker is
 * away it waits and tries again, in order, and writes nothing twice.
 *
 * <ul>
 *   <li>POST /topics {"name", "partitions", "config"}: makes a topic whose records bear the time of their arrival, unless
 *       its settings say otherwise.
 *   <li>POST /partitions {"topic", "partitions"}: gives a topic more partitions, so many in all.
 *   <li>POST /records {"topic", "records": [{"partition", "payload" in base64 or null}]}: answers when the broker has all,
 *       with [{"offset", "timestamp"}] in their order. A record may have "key" and "headers" (base64) and "timestamp"; all may
 *       have a "compression", and be one "transaction", which is to "commit" or to "abort".
 *   <li>GET /: answers when the broker does.
 * </ul>
 */
public final class TopicGateway {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TopicGateway() {}

    private interface Answer {
        Object to(JsonNode request) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> client =
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0], ProducerConfig.LINGER_MS_CONFIG, 5);
        Admin admin = Admin.create(Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]));
        KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(client, new ByteArraySerializer(), new ByteArraySerializer());
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1])), 0);
        server.createContext("/", exchange -> reply(exchange, request -> admin.describeCluster().clusterId().get()));
        server.createContext("/topics", exchange -> reply(exchange, request -> make(admin, request)));
        server.createContext("/partitions", exchange -> reply(exchange, request -> enlarge(admin, request)));
        server.createContext("/records", exchange -> reply(exchange, request -> write(client, producer, request)));
        server.start();
    }

    private static Object make(Admin admin, JsonNode request) throws Exception {
        Map<String, String> config = new HashMap<>(Map.of("message.timestamp.type", "LogAppendTime"));
        request.path("config").fields().forEachRemaining(each -> config.put(each.getKey(), each.getValue().asText()));
        NewTopic topic =
                new NewTopic(request.get("name").asText(), request.get("partitions").asInt(), (short) 1).configs(config);
        admin.createTopics(List.of(topic)).all().get();
        return topic.name();
    }

    private static Object enlarge(Admin admin, JsonNode request) throws Exception {
        NewPartitions wanted = NewPartitions.increaseTo(request.get("partitions").asInt());
        admin.createPartitions(Map.of(request.get("topic").asText(), wanted)).all().get();
        return wanted.totalCount();
    }

    private static Object write(Map<String, Object> client, KafkaProducer<byte[], byte[]> shared, JsonNode request)
            throws Exception {
        String transaction = request.path("transaction").asText();
        String compression = request.path("compression").asText();
        if (transaction.isEmpty() && compression.isEmpty()) {
            return write(shared, request);
        }
        Map<String, Object> own = new HashMap<>(client);
        own.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, compression.isEmpty() ? "none" : compression);
        if (!transaction.isEmpty()) {
            own.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "gateway");
        }
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(own, new ByteArraySerializer(), new ByteArraySerializer())) {
            if (transaction.isEmpty()) {
                return write(producer, request);
            }
            producer.initTransactions();
            producer.beginTransaction();
            Object places = write(producer, request);
            if (transaction.equals("commit")) {
                producer.commitTransaction();
            } else {
                producer.abortTransaction();
            }
            return places;
        }
    }

    private static Object write(KafkaProducer<byte[], byte[]> producer, JsonNode request) throws Exception {
        String topic = request.get("topic").asText();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode record : request.get("records")) {
            JsonNode timestamp = record.path("timestamp");
            ProducerRecord<byte[], byte[]> made =
                    new ProducerRecord<>(
                            topic,
                            record.get("partition").asInt(),
                            timestamp.isNumber() ? timestamp.asLong() : null,
                            bytes(record.path("key")),
                            bytes(record.get("payload")));
            for (Iterator<Map.Entry<String, JsonNode>> each = record.path("headers").fields(); each.hasNext(); ) {
                Map.Entry<String, JsonNode> header = each.next();
                made.headers().add(header.getKey(), bytes(header.getValue()));
            }
            sent.add(producer.send(made));
        }
        producer.flush();
        ArrayNode places = JSON.createArrayNode();
        for (Future<RecordMetadata> each : sent) {
            RecordMetadata place = each.get();
            places.addObject().put("offset", place.offset()).put("timestamp", place.timestamp());
        }
        return places;
    }

    private static byte[] bytes(JsonNode base64) throws IOException {
        return base64.isTextual() ? base64.binaryValue() : null;
    }

    private static void reply(HttpExchange exchange, Answer answer) throws IOException {
        byte[] text;
        int status = 200;
        try {
            text = JSON.writeValueAsBytes(answer.to(JSON.readTree(exchange.getRequestBody())));
        } catch (Exception failure) {
            failure.printStackTrace();
            status = 500;
            text = failure.toString().getBytes();
        }
        exchange.sendResponseHeaders(status, text.length);
        exchange.getResponseBody().write(text);
        exchange.close();
    }
}
