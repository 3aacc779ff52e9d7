package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/** Files as they lie in a bucket, and the records that come out of them. */
class ArchiveFilesTest {
    @TempDir Path folder;

    @Test
    void archivedRecordsComePerPartitionInTheOrderOfTheirPositionsEachOnceHoweverManyRunsAreSorted() throws IOException {
        // Sequence numbers of different lengths, mixed shards, one record twice in another file.
        write("b.gz", line("one", "10", "c"), line("other", "7", "x"), line("one", "9", "b"));
        write("a.gz", line("one", "100", "d"), line("one", "8", "a"), line("one", "9", "b"));
        for (long runBytes : new long[] {1, 1 << 20}) {
            try (SortedArchive archive = new SortedArchive(runBytes)) {
                archive.add(folder.resolve("a.gz").toUri().toString());
                archive.add(folder.resolve("b.gz").toUri().toString());
                Map<String, PartitionReader> readers = archive.readers();
                assertEquals(List.of("8a", "9b", "10c", "100d"), texts(readers.get("one")));
                assertEquals(List.of("7x"), texts(readers.get("other")));
            }
        }
    }

    @Test
    void aLineOfAFolderIsAPayloadWhateverBytesItHoldsAndItsPlaceIsFileAndLine() throws IOException {
        byte[] bytes = {'{', (byte) 0xff, '\n', '\n', 'l', 'a', 's', 't'};
        Files.createDirectories(folder.resolve("shard-0/deep"));
        Files.write(folder.resolve("shard-0/deep/1.jsonl"), bytes);
        write("shard-0/2.jsonl.gz", "gzipped");
        Files.writeString(folder.resolve("loose.jsonl"), "loose\n");
        String prefix = folder.toUri().toString();
        Map<String, PartitionReader> readers = FolderReader.of(prefix, new FileListing(prefix, Map.of()).next());
        assertEquals(List.of(".", "shard-0"), new ArrayList<>(new TreeMap<>(readers).keySet()));
        List<Intake> records = read(readers.get("shard-0"));
        List<String> places = new ArrayList<>();
        records.forEach(record -> places.add(record.position));
        assertEquals(List.of("2.jsonl.gz:0", "deep/1.jsonl:0", "deep/1.jsonl:1", "deep/1.jsonl:2"), places);
        assertEquals(2, records.get(1).payload.length);
        assertEquals(0, records.get(2).payload.length);
        assertEquals("last", new String(records.get(3).payload, StandardCharsets.UTF_8));
        assertEquals(List.of("loose.jsonl:0loose"), texts(readers.get(".")));
    }

    @Test
    void aListingGivesEachFileOnceAndNoneThatIsStillWritten() throws IOException {
        FileListing listing = new FileListing(folder.toUri().toString(), Map.of());
        assertEquals(Map.of(), listing.next());
        write("p/1.gz", "x");
        write("p/.2.gz", "x");
        write("_SUCCESS", "x");
        assertEquals(1, listing.next().size());
        write("p/0.gz", "x");
        assertEquals(1, new FileListing(folder.toUri().toString(), listing.seen()).next().size());
        assertEquals(1, listing.next().size());
        assertEquals(Map.of(), listing.next());
    }

    @Test
    void aPrefixThatIsNotThereIsEmpty() throws IOException {
        assertEquals(Map.of(), new FileListing(folder.resolve("nothing").toUri().toString(), Map.of()).next());
    }

    @Test
    void aBackfillChoosesTheHoursThatCanHoldItsEvents() {
        long hour = 3_600_000;
        long day = 1_790_000_000_000L / (24 * hour) * 24 * hour; // 2026-09-21
        FilesPlan plan = FilesPlan.backfill("s3://b/events/", "", day, day + hour, day + 3 * hour);
        Map<String, Long> files = new TreeMap<>();
        for (String place : List.of("20/00", "20/01", "21/03", "21/04")) {
            files.put("s3://b/events/2026/09/" + place + "/events-1.gz", 0L);
        }
        files.put("s3://b/events/unsorted.gz", 0L);
        assertEquals(
                List.of(
                        "s3://b/events/2026/09/20/01/events-1.gz",
                        "s3://b/events/2026/09/21/03/events-1.gz",
                        "s3://b/events/unsorted.gz"),
                new ArrayList<>(plan.chosen(files).keySet()));
        assertEquals(files, FilesPlan.live("s3://b/events/", true, false, hour).chosen(files));
    }

    @Test
    void ofTheLiveRejectionsThoseCountThatThePayloadDoesNotShow() throws IOException {
        write(
                "no-name-for-gzip",
                "{\"partition\":\"p\",\"position\":\"1\",\"reason\":\"late_after_idle\"}",
                "{\"partition\":\"p\",\"position\":\"2\",\"reason\":\"malformed\",\"payload\":\"{\"}");
        LiveRejections rejections = new LiveRejections();
        rejections.add(folder.resolve("no-name-for-gzip").toUri().toString());
        assertEquals(Reason.LATE_AFTER_IDLE, rejections.of(new Intake("s", "p", "1", 0, null)));
        assertNull(rejections.of(new Intake("s", "p", "2", 0, null)));
        assertNull(rejections.of(new Intake("s", "q", "1", 0, null)));
    }

    private static String line(String partition, String position, String payload) {
        return "{\"source\":\"s\",\"partition\":\"" + partition + "\",\"position\":\"" + position
                + "\",\"arrival_time\":5,\"payload\":\""
                + Base64.getEncoder().encodeToString(payload.getBytes(StandardCharsets.UTF_8)) + "\"}";
    }

    private void write(String name, String... lines) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, bytes.toByteArray());
    }

    private static List<Intake> read(PartitionReader reader) throws IOException {
        List<Intake> records = new ArrayList<>();
        for (Intake record = reader.next(); record != null; record = reader.next()) {
            records.add(record);
        }
        return records;
    }

    private static List<String> texts(PartitionReader reader) throws IOException {
        List<String> texts = new ArrayList<>();
        for (Intake record : read(reader)) {
            texts.add(record.position + new String(record.payload, StandardCharsets.UTF_8));
        }
        return texts;
    }
}
