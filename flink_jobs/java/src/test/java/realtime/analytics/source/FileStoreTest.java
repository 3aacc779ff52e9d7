package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/** Addresses of every kind, in S3 and on this machine: each file is listed once and can be read. */
@Timeout(60)
class FileStoreTest {
    private static final String UPLOADED = "2026-11-24T10:00:00Z";
    private static final String REFUSED = "refused ";
    private static final int PART_BYTES = 1 << 20;
    private static final Map<String, String> CLIENT =
            Map.of("aws.accessKeyId", "testing", "aws.secretAccessKey", "testing");

    @TempDir Path folder;

    private final Map<String, byte[]> objects = new ConcurrentSkipListMap<>();
    private HttpServer s3;

    /** An S3 of one bucket, which gives two keys a page. */
    @BeforeEach
    void start() throws IOException {
        s3 = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        s3.createContext("/", this::answer);
        s3.start();
        CLIENT.forEach(System::setProperty);
        System.setProperty("aws.endpointUrlS3", "http://127.0.0.1:" + s3.getAddress().getPort());
        S3Objects.INSTANCE.use("us-east-1", "s3://bucket/in/");
    }

    @AfterEach
    void stop() {
        S3Objects.INSTANCE.close();
        System.clearProperty("aws.endpointUrlS3");
        CLIENT.keySet().forEach(System::clearProperty);
        s3.stop(0);
    }

    @Test
    void everyKeyIsListedOnceAndRead() throws IOException {
        List<String> keys = List.of(
                "in/p/../x.json", "in//x.json", "in/./x.json", "in/a\\b.json", "in/_x.json", "in/.x.json", "in/b:c",
                "in/p/_q/x.json", "in/a+b c%2F.json", "in/\uD55C\uAE00.json", "in/a?b#c&d=<e>\"'.json", "in/\u0001.json", "in/p/plain.json");
        keys.forEach(key -> objects.put(key, (key + "\n").getBytes(StandardCharsets.UTF_8)));
        objects.put("in/p/", new byte[0]); // a folder, as consoles make it
        objects.put("in-old/x.json", new byte[] {'x'});
        List<String> addresses = new ArrayList<>();
        keys.stream().sorted().forEach(key -> addresses.add("s3://bucket/" + key));
        for (String prefix : List.of("s3://bucket/in/", "s3://bucket/in")) {
            Map<String, Long> found = new FileListing(prefix, Map.of()).look();
            assertEquals(addresses, List.copyOf(found.keySet()));
            assertEquals(Instant.parse(UPLOADED).toEpochMilli(), found.get("s3://bucket/in/b:c"));
            Map<String, String> texts = new TreeMap<>();
            for (PartitionReader reader : FolderReader.of(prefix, found, path -> {}, path -> {}).values()) {
                for (Intake record = reader.next(); record != null; record = reader.next()) {
                    assertTrue(record.accepted(), record.detail);
                    texts.put(record.partition + " " + record.position, new String(record.payload, StandardCharsets.UTF_8));
                }
            }
            assertEquals(keys.size(), texts.size());
            assertEquals("in//x.json", texts.get(". /x.json:0"));
            assertEquals("in/./x.json", texts.get(". ./x.json:0"));
            assertEquals("in/p/../x.json", texts.get("p ../x.json:0"));
            assertEquals("in/a\\b.json", texts.get(". a\\b.json:0"));
        }
    }

    @Test
    void anObjectMayBeAnArchiveAndAPrefixMayBeEmptyOrNotThere() throws IOException {
        objects.put("1.gz", new byte[] {'x'});
        assertEquals(List.of("s3://bucket/1.gz"), List.copyOf(FileStore.of("s3://bucket/1.gz").list("s3://bucket/1.gz").keySet()));
        assertEquals("1.gz", FolderReader.below("s3://bucket/1.gz", "s3://bucket/1.gz"));
        assertEquals(List.of("s3://bucket/1.gz"), List.copyOf(FileStore.of("s3://bucket/").list("s3://bucket/").keySet()));
        assertEquals(Map.of(), FileStore.of("s3://bucket/none/").list("s3://bucket/none/"));
    }

    @Test
    void anObjectComesInPartsOfOneVersionAndAnEmptyOneHasNone() throws IOException {
        byte[] large = new byte[2 * PART_BYTES];
        for (int place = 0; place < large.length; place++) {
            large[place] = (byte) (place % 251);
        }
        objects.put("two parts", large);
        objects.put("empty", new byte[0]);
        try (var object = FileStore.of("s3://").open("s3://bucket/two parts")) {
            assertTrue(Arrays.equals(large, object.readAllBytes()));
        }
        try (var object = FileStore.of("s3://").open("s3://bucket/empty")) {
            assertEquals(-1, object.read());
        }
        try (var object = FileStore.of("s3://").open("s3://bucket/two parts")) {
            object.readNBytes(PART_BYTES);
            objects.put("two parts", "another".getBytes(StandardCharsets.UTF_8));
            assertTrue(assertThrows(IOException.class, object::read).getMessage().startsWith("s3://bucket/two parts cannot be read"));
        }
        assertThrows(FileNotFoundException.class, () -> FileStore.of("s3://").open("s3://bucket/gone"));
    }

    @Test
    void anObjectInAStorageClassWithoutAccessIsRejectedAndTheNextIsRead() throws IOException {
        objects.put("in/p/1", "GLACIER".getBytes(StandardCharsets.UTF_8));
        objects.put("in/p/2", "{}".getBytes(StandardCharsets.UTF_8));
        PartitionReader reader = reader();
        Intake archived = reader.next();
        assertEquals(Reason.MALFORMED, archived.reason);
        assertEquals("1:0", archived.position);
        assertEquals(
                "s3://bucket/in/p/1: the object is in a storage class without access (GLACIER): "
                        + "restore it and copy it to a new key",
                archived.detail);
        assertEquals("2:0", reader.next().position);
    }

    private static PartitionReader reader() throws IOException {
        Map<String, Long> found = FileStore.of("s3://").list("s3://bucket/in/");
        return FolderReader.of("s3://bucket/in/", found, path -> {}, path -> {}).get("p");
    }

    @ParameterizedTest
    @ValueSource(strings = {"403 AccessDenied", "400 KMS.DisabledException", "403 KMS.DisabledException"})
    void anObjectThatIsRefusedWhileOthersAreGivenIsRejectedAndTheNextIsRead(String error) throws IOException {
        for (int number = 0; number < 3; number++) {
            refuse("in/p/" + number, error);
        }
        objects.put("in/p/3", "{}".getBytes(StandardCharsets.UTF_8));
        refuse("in/p/4", error);
        objects.put("in/p/5", "{}".getBytes(StandardCharsets.UTF_8));
        PartitionReader reader = reader();
        for (int number = 0; number < 6; number++) {
            Intake record = reader.next();
            assertEquals(number + ":0", record.position);
            assertEquals(number == 3 || number == 5, record.accepted());
            if (!record.accepted()) {
                assertEquals(Reason.MALFORMED, record.reason);
                String detail = "s3://bucket/in/p/" + number + ": S3 does not give the object (refused ";
                assertTrue(record.detail.startsWith(detail + error), record.detail);
                assertTrue(record.detail.contains("copy it to a new key"), record.detail);
            }
        }
        assertNull(reader.next());
    }

    @ParameterizedTest
    @ValueSource(strings = {"403 AccessDenied", "400 KMS.DisabledException"})
    void aRightThatIsLostForAllStopsTheJobAndRejectsNothing(String error) throws IOException {
        refuse("in/p/1", error);
        refuse("in/p/2", error);
        objects.put("in/p/3", "GLACIER".getBytes(StandardCharsets.UTF_8));
        assertTrue(assertThrows(IOException.class, reader()::next).getMessage().startsWith("s3://bucket/in/p/1 cannot be read"));
        // One that was given is refused now, as is the next.
        objects.put("in/p/1", "{}".getBytes(StandardCharsets.UTF_8));
        PartitionReader reader = reader();
        assertTrue(reader.next().accepted());
        refuse("in/p/1", error);
        assertThrows(IOException.class, reader::next);
        // It is deleted: another is asked for.
        objects.put("in/p/4", "{}".getBytes(StandardCharsets.UTF_8));
        objects.remove("in/p/1");
        assertEquals("2:0", reader().next().position);
    }

    @Test
    void anObjectUnderACustomersKeyIsRejectedAlsoWhenItIsTheOnlyOne() throws IOException {
        refuse("in/p/1", "400 InvalidRequest");
        Intake record = reader().next();
        assertEquals(Reason.MALFORMED, record.reason);
        assertTrue(record.detail.contains("(SSE-C)"), record.detail);
    }

    @ParameterizedTest
    @ValueSource(strings = {"400 KMS.ThrottlingException", "503 SlowDown", "301 PermanentRedirect", "500 InternalError"})
    void whatPassesIsTriedAgainAlthoughOthersAreGiven(String error) throws IOException {
        objects.put("in/p/0", "{}".getBytes(StandardCharsets.UTF_8));
        refuse("in/p/1", error);
        PartitionReader reader = reader();
        assertTrue(reader.next().accepted());
        assertThrows(IOException.class, reader::next);
    }

    private void refuse(String key, String error) {
        objects.put(key, (REFUSED + error).getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void whatS3RefusesIsToldWithTheAddressAndMayBeTriedAgain() throws IOException {
        assertTrue(assertThrows(IOException.class, () -> FileStore.of("s3://").list("s3://another/in/"))
                .getMessage()
                .startsWith("s3://another/in/ cannot be listed: "));
    }

    @Test
    void everyNameOfAFileOfThisMachineIsListedOnceAndRead() throws IOException {
        List<String> names = List.of("b:c", "a\\b.json", "_x.json", "a b%20c?d#e.json", "\uD55C\uAE00.json", "p/2026-09-21T00:00:00.json");
        for (String name : names) {
            Files.createDirectories(folder.resolve(name).getParent());
            Files.writeString(folder.resolve(name), name + "\n");
        }
        Files.createSymbolicLink(folder.resolve("p/loop"), folder);
        for (String prefix : List.of(folder.toUri().toString(), folder.toString())) {
            List<String> found = new ArrayList<>();
            for (String file : new FileListing(prefix, Map.of()).look().keySet()) {
                try (EventFile lines = new EventFile(file)) {
                    String text = new String(lines.next(), StandardCharsets.UTF_8);
                    assertEquals(text, FolderReader.below(prefix, file));
                    found.add(text);
                }
            }
            assertEquals(List.copyOf(new TreeSet<>(names)), List.copyOf(new TreeSet<>(found)));
            assertEquals(names.size(), found.size());
        }
    }

    private void answer(HttpExchange call) throws IOException {
        try {
            String path = URLDecoder.decode(call.getRequestURI().getRawPath().replace("+", "%2B"), StandardCharsets.UTF_8);
            String query = call.getRequestURI().getRawQuery();
            if (!path.startsWith("/bucket")) {
                send(call, 403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>".getBytes());
            } else if (query != null && query.contains("list-type=2")) {
                send(call, 200, listing(query).getBytes(StandardCharsets.UTF_8));
            } else {
                object(call, objects.get(path.substring("/bucket/".length())));
            }
        } finally {
            call.getResponseBody().close();
        }
    }

    private String listing(String query) {
        Map<String, String> asked = new TreeMap<>();
        for (String each : query.split("&")) {
            int end = each.indexOf('=');
            asked.put(each.substring(0, end), URLDecoder.decode(each.substring(end + 1), StandardCharsets.UTF_8));
        }
        assertEquals("url", asked.get("encoding-type"));
        List<String> keys = new ArrayList<>(objects.keySet());
        keys.removeIf(key -> !key.startsWith(asked.getOrDefault("prefix", "")));
        int from = Integer.parseInt(asked.getOrDefault("continuation-token", "0"));
        int to = Math.min(from + 2, keys.size());
        StringBuilder answer = new StringBuilder("<ListBucketResult><EncodingType>url</EncodingType>");
        answer.append("<IsTruncated>").append(to < keys.size()).append("</IsTruncated>");
        if (to < keys.size()) {
            answer.append("<NextContinuationToken>").append(to).append("</NextContinuationToken>");
        }
        for (String key : keys.subList(from, to)) {
            answer.append("<Contents><Key>").append(URLEncoder.encode(key, StandardCharsets.UTF_8)).append("</Key>");
            answer.append("<LastModified>").append(UPLOADED).append("</LastModified>");
            answer.append("<Size>").append(objects.get(key).length).append("</Size></Contents>");
        }
        return answer.append("</ListBucketResult>").toString();
    }

    private static void object(HttpExchange call, byte[] content) throws IOException {
        String version = content == null ? "" : "\"" + Arrays.hashCode(content) + "\"";
        String wanted = call.getRequestHeaders().getFirst("If-Match");
        if (content == null) {
            send(call, 404, "<Error><Code>NoSuchKey</Code></Error>".getBytes());
            return;
        }
        if (new String(content, StandardCharsets.UTF_8).equals("GLACIER")) {
            send(call, 403, "<Error><Code>InvalidObjectState</Code><StorageClass>GLACIER</StorageClass></Error>".getBytes());
            return;
        }
        String text = new String(content, 0, Math.min(100, content.length), StandardCharsets.UTF_8);
        if (text.startsWith(REFUSED)) {
            String[] error = text.split(" ");
            String answer = "<Error><Code>" + error[2] + "</Code><Message>" + text + "</Message></Error>";
            send(call, Integer.parseInt(error[1]), answer.getBytes(StandardCharsets.UTF_8));
            return;
        }
        if (wanted != null && !wanted.equals(version)) {
            send(call, 412, "<Error><Code>PreconditionFailed</Code></Error>".getBytes());
            return;
        }
        String[] range = call.getRequestHeaders().getFirst("Range").substring("bytes=".length()).split("-");
        int from = Integer.parseInt(range[0]);
        if (from >= content.length) {
            send(call, 416, "<Error><Code>InvalidRange</Code></Error>".getBytes());
            return;
        }
        int to = Math.min(Integer.parseInt(range[1]) + 1, content.length);
        call.getResponseHeaders().set("ETag", version);
        call.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + content.length);
        send(call, 206, Arrays.copyOfRange(content, from, to));
    }

    private static void send(HttpExchange call, int status, byte[] content) throws IOException {
        call.sendResponseHeaders(status, content.length);
        call.getResponseBody().write(content);
    }
}
