package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/** Files as they lie in a bucket, and the records that come out of them. */
class ArchiveFilesTest {
    @TempDir Path folder;

    private final List<String> gone = new ArrayList<>();

    @Test
    void archivedRecordsComePerPartitionInTheOrderOfTheirPositionsEachOnceHoweverManyRunsAreSorted() throws IOException {
        // Sequence numbers of different lengths, mixed shards, one record twice in another file.
        write("b.gz", line("one", "10", "c"), line("other", "7", "x"), line("one", "9", "b"));
        write("a.gz", line("one", "100", "d"), line("one", "8", "a"), line("one", "9", "b"));
        for (long runBytes : new long[] {1, 1 << 20}) {
            try (SortedArchive archive = new SortedArchive(prefix(), runBytes)) {
                archive.add(path("a.gz"), 1);
                archive.add(path("b.gz"), 1);
                Map<String, PartitionReader> readers = archive.readers();
                assertEquals(List.of("8a", "9b", "10c", "100d"), texts(readers.get("one")));
                assertEquals(List.of("7x"), texts(readers.get("other")));
            }
        }
    }

    @Test
    void aLineOfAFolderIsAPayloadWhateverBytesItHoldsAndItsPlaceIsFileAndLine() throws IOException {
        byte[] bytes = {'{', (byte) 0xff, '\n', '\n', ' ', '\t', '\r', '\n', 'l', 'a', 's', 't'};
        Files.createDirectories(folder.resolve("shard-0/deep"));
        Files.write(folder.resolve("shard-0/deep/1.jsonl"), bytes);
        write("shard-0/2.jsonl.gz", "gzipped");
        Files.writeString(folder.resolve("loose.jsonl"), "loose\n");
        Map<String, PartitionReader> readers = folders(new ArrayList<>());
        assertEquals(List.of(".", "shard-0"), new ArrayList<>(new TreeMap<>(readers).keySet()));
        List<Intake> records = read(readers.get("shard-0"));
        List<String> places = new ArrayList<>();
        records.forEach(record -> places.add(record.position));
        // A blank line is no record; it counts as a line.
        assertEquals(List.of("2.jsonl.gz:0", "deep/1.jsonl:0", "deep/1.jsonl:3"), places);
        assertEquals(2, records.get(1).payload.length);
        assertEquals("last", new String(records.get(2).payload, StandardCharsets.UTF_8));
        assertEquals(List.of("loose.jsonl:0loose"), texts(readers.get(".")));
    }

    @Test
    void aListingGivesEachFileOnceWhateverItsTimeAndNoneThatIsStillWritten() throws IOException {
        FileListing listing = new FileListing(prefix(), Map.of());
        assertEquals(Map.of(), taken(listing));
        write("p/2.gz", "x");
        write("p/.3.gz", "x");
        write(".p/1.gz", "x");
        assertEquals(List.of(path("p/2.gz")), List.copyOf(taken(listing).keySet()));
        // Uploaded in parts, which began a day before the file was there.
        write("p/1.gz", "x");
        Files.setLastModifiedTime(folder.resolve("p/1.gz"), FileTime.fromMillis(0));
        FileListing restored = new FileListing(prefix(), listing.seen());
        assertEquals(List.of(path("p/1.gz")), List.copyOf(taken(restored).keySet()));
        assertEquals(List.of(path("p/1.gz")), List.copyOf(taken(listing).keySet()));
        assertEquals(Map.of(), taken(listing));
        Files.delete(folder.resolve("p/2.gz"));
        taken(listing);
        assertEquals(List.of(path("p/1.gz")), List.copyOf(listing.seen().keySet()));
    }

    @Test
    void aFileThatWasListedAndNotTakenAndIsDeletedIsToldOnce() throws IOException {
        FileListing listing = new FileListing(prefix(), Map.of());
        write("p/1.gz", "x");
        taken(listing);
        write("p/2.gz", "x");
        listing.fresh(listing.look());
        Files.delete(folder.resolve("p/1.gz"));
        assertEquals(Set.of(), listing.gone(listing.look()));
        Files.delete(folder.resolve("p/2.gz"));
        assertEquals(Set.of(path("p/2.gz")), listing.gone(listing.look()));
        assertEquals(Set.of(), listing.gone(listing.look()));
    }

    private static Map<String, Long> taken(FileListing listing) throws IOException {
        Map<String, Long> found = listing.look();
        Map<String, Long> fresh = listing.fresh(found);
        listing.take(found);
        return fresh;
    }

    @Test
    void anArchiveMayBeOneFile() throws IOException {
        write("1.gz", line("one", "1", "a"), "{}");
        assertEquals(List.of(path("1.gz")), List.copyOf(new FileListing(path("1.gz"), Map.of()).look().keySet()));
        try (SortedArchive archive = new SortedArchive(path("1.gz"))) {
            archive.add(path("1.gz"), 0);
            Map<String, PartitionReader> readers = archive.readers();
            assertEquals(List.of("1a"), texts(readers.get("one")));
            assertEquals("1.gz:1", readers.get(ArchiveFile.NO_SHARD).next().position);
        }
    }

    @Test
    void aPrefixThatIsNotThereIsEmpty() throws IOException {
        assertEquals(Map.of(), new FileListing(folder.resolve("nothing").toUri().toString(), Map.of()).look());
    }

    @Test
    void aFolderGoesOnWithinTheFirstOfItsFilesThatIsNotFinished() throws IOException {
        write("p/1.gz", "a", "b");
        write("p/2.gz", "c", "d", "e");
        List<String> finished = new ArrayList<>();
        PartitionReader reader = folders(finished).get("p");
        for (String expected : List.of("a", "b", "c", "d")) {
            assertEquals(expected, new String(reader.next().payload, StandardCharsets.UTF_8));
        }
        assertEquals(List.of(path("p/1.gz")), finished);
        assertEquals(2, reader.given());
        PartitionReader restored = folder("p/2.gz").get("p");
        restored.skip(2);
        assertEquals(List.of("2.gz:2e"), texts(restored));
        // Nothing of the next file was taken because the first one is gone.
        Files.delete(folder.resolve("p/1.gz"));
        PartitionReader rest = folder("p/1.gz", "p/2.gz").get("p");
        rest.skip(2);
        assertEquals(List.of("2.gz:0c", "2.gz:1d", "2.gz:2e"), texts(rest));
        assertEquals(List.of(path("p/1.gz")), gone);
    }

    @Test
    void aFolderGoesOnAfterTheLinesThatWereReadWhereverBlankOnesAre() throws IOException {
        write("p/1.gz", "", "a", "", "", "b", "", "c", "");
        List<String> all = List.of("1.gz:1a", "1.gz:4b", "1.gz:6c");
        for (int given = 0; given < all.size(); given++) {
            PartitionReader reader = folder("p/1.gz").get("p");
            for (int number = 0; number <= given; number++) {
                reader.next();
            }
            // As Playback does: the record that was given last is not taken yet.
            PartitionReader restored = folder("p/1.gz").get("p");
            restored.skip(reader.given() - 1);
            assertEquals(all.subList(given, all.size()), texts(restored));
        }
    }

    @Test
    void whatABrokenFileCannotGiveIsOneRejectedRecordAndTheNextFileIsRead() throws IOException {
        Files.createDirectories(folder.resolve("p"));
        byte[] whole = gzipped("first\n" + "x".repeat(100_000) + "\nlast\n");
        Files.write(folder.resolve("p/1.gz"), Arrays.copyOf(whole, whole.length - 60));
        Files.write(folder.resolve("p/2.gz"), new byte[] {0x1f, (byte) 0x8b, 9, 9, 9});
        byte[] flipped = gzipped("flipped\n");
        flipped[flipped.length - 6] ^= 1;
        Files.write(folder.resolve("p/3.gz"), flipped);
        Files.write(folder.resolve("p/4.gz"), concatenated(gzipped("before\n"), "garbage".getBytes()));
        Files.write(folder.resolve("p/5.gz"), new byte[0]);
        write("p/6.gz", "whole");
        List<String> finished = new ArrayList<>();
        List<String> found = new ArrayList<>();
        for (Intake record : read(folders(finished).get("p"))) {
            found.add(record.position + (record.accepted() ? "" : " " + record.reason.code));
        }
        assertEquals(
                List.of(
                        "1.gz:0", "1.gz:1 malformed", "2.gz:0 malformed", "3.gz:0", "3.gz:1 malformed",
                        "4.gz:0", "4.gz:1 malformed", "6.gz:0"),
                found);
        assertEquals(6, finished.size());
    }

    @Test
    void everyMemberOfAGzipIsRead() throws IOException {
        Files.createDirectories(folder.resolve("p"));
        Files.write(folder.resolve("p/1.gz"), concatenated(gzipped("a\nb"), gzipped(""), gzipped("c\n")));
        assertEquals(List.of("1.gz:0a", "1.gz:1bc"), texts(folder("p/1.gz").get("p")));
    }

    @Test
    void aLineWithoutEndIsRejectedInPartAndTheNextOneIsRead() throws IOException {
        Files.writeString(folder.resolve("1"), "0123456789\nshort\n");
        try (EventFile file = new EventFile(path("1"), 8, 100)) {
            BrokenFileException tooLong = assertThrows(BrokenFileException.class, file::next);
            assertEquals("01234567", new String(tooLong.line, StandardCharsets.UTF_8));
            assertFalse(tooLong.isEnd);
            assertEquals("short", new String(file.next(), StandardCharsets.UTF_8));
            assertNull(file.next());
        }
    }

    @Test
    void aLineThatIsLongerByFarEndsItsFile() throws IOException {
        Files.writeString(folder.resolve("1"), "0".repeat(200) + "\nshort\n");
        try (EventFile file = new EventFile(path("1"), 8, 100)) {
            BrokenFileException tooLong = assertThrows(BrokenFileException.class, file::next);
            assertEquals("the line is longer than 8 bytes by far: the rest of the file is not read", tooLong.getMessage());
            assertTrue(tooLong.isEnd);
        }
    }

    @Test
    void aGzipThatHoldsHundredsOfTimesItsSizeIsGivenUpAndASmallerOrPlainerOneIsRead() throws IOException {
        String lines = "{}\n".repeat(1 << 20);
        Files.write(folder.resolve("bomb"), gzipped(lines));
        Files.writeString(folder.resolve("plain"), lines);
        try (EventFile bomb = new EventFile(path("bomb"), 8, 1 << 20)) {
            BrokenFileException broken = assertThrows(BrokenFileException.class, () -> readAll(bomb));
            assertEquals("the file is broken: it holds more than 200 times its size: split it", broken.getMessage());
            assertTrue(broken.isEnd);
        }
        for (String name : List.of("bomb", "plain")) {
            try (EventFile file = new EventFile(path(name), 8, 1 << 22)) {
                assertEquals(1 << 20, readAll(file));
            }
        }
    }

    private static int readAll(EventFile file) throws IOException {
        int lines = 0;
        while (file.next() != null) {
            lines++;
        }
        return lines;
    }

    @Test
    void whatIsNoLineOfTheArchiveIsRejectedUnderItsFileAndLine() throws IOException {
        write(
                "2026/1.gz",
                line("one", "1", "a"),
                "{\"event_time\":1,\"user_id\":1,\"event_type\":\"view\"}",
                "",
                "[]",
                line("one", "2", "b").replace("\"arrival_time\":5", "\"arrival_time\":\"5\""),
                line("one", "3", "c").replaceAll("\"payload\":\".*\"", "\"payload\":\"?\""),
                line("one", "4", "d"));
        for (long runBytes : new long[] {1, 1 << 20}) {
            try (SortedArchive archive = new SortedArchive(prefix(), runBytes)) {
                archive.add(path("2026/1.gz"), 7);
                assertThrows(FileNotFoundException.class, () -> archive.add(path("2026/gone.gz"), 7));
                assertEquals(Set.of(path("2026/1.gz")), archive.ranges().keySet());
                Map<String, PartitionReader> readers = archive.readers();
                assertEquals(List.of("1a", "4d"), texts(readers.get("one")));
                List<Intake> rejected = read(readers.get(ArchiveFile.NO_SHARD));
                // The blank line is no record, and counts as a line.
                List<Integer> numbers = List.of(1, 3, 4, 5);
                assertEquals(numbers.size(), rejected.size());
                for (int i = 0; i < rejected.size(); i++) {
                    Intake record = rejected.get(i);
                    assertEquals("2026/1.gz:" + numbers.get(i), record.position);
                    assertEquals(Reason.MALFORMED, record.reason);
                    assertEquals(7, record.arrival);
                }
            }
        }
    }

    @Test
    void whatAnEarlierFileHeldIsLeftOutAndWhatItLeftOpenIsNot() throws IOException {
        write("1.gz", line("one", "1", "a"), line("one", "4", "d"));
        write("2.gz", line("one", "2", "b"), line("one", "4", "d"), line("other", "1", "x"));
        write("3.gz", line("one", "5", "e"));
        for (long runBytes : new long[] {1, 1 << 20}) {
            try (SortedArchive archive = new SortedArchive(prefix(), runBytes)) {
                archive.add(path("2.gz"), 1);
                archive.add(path("3.gz"), 1);
                archive.addKnown(path("1.gz"));
                Map<String, PartitionReader> readers = archive.readers();
                PartitionReader one = readers.get("one");
                one.skip(1);
                assertEquals(List.of("5e"), texts(one));
                assertEquals(2, one.given());
                assertEquals(List.of("1x"), texts(readers.get("other")));
                assertEquals(Set.of(path("2.gz"), path("3.gz")), archive.ranges().keySet());
                assertEquals("2", archive.ranges().get(path("2.gz")).get("one").low);
                assertEquals("4", archive.ranges().get(path("2.gz")).get("one").high);
            }
        }
    }

    /** Of an archive of before there were sub-sequence numbers. */
    @Test
    void recordsOfOnePositionAreEachOnceByTheirPayloadsInOneOrder() throws IOException {
        List<String> payloads = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "\u00e9");
        List<String> expected = new ArrayList<>();
        payloads.forEach(payload -> expected.add("5" + payload));
        for (int seed = 0; seed < 5; seed++) {
            for (String file : List.of("1.gz", "2.gz")) {
                List<String> mixed = new ArrayList<>(payloads);
                Collections.shuffle(mixed, new Random(seed + file.hashCode()));
                write(file, mixed.stream().map(payload -> line("one", "5", payload)).toArray(String[]::new));
            }
            write("known.gz", line("one", "5", "7"), line("one", "5", "other"));
            for (long runBytes : new long[] {1, 700, 1 << 20}) {
                try (SortedArchive archive = new SortedArchive(prefix(), runBytes)) {
                    archive.add(path("2.gz"), 1);
                    archive.add(path("1.gz"), 1);
                    assertEquals(expected, texts(archive.readers().get("one")));
                }
                try (SortedArchive archive = new SortedArchive(prefix(), runBytes)) {
                    archive.add(path("1.gz"), 1);
                    archive.addKnown(path("known.gz"));
                    List<String> unknown = new ArrayList<>(expected);
                    unknown.remove("57");
                    PartitionReader reader = archive.readers().get("one");
                    reader.skip(3);
                    assertEquals(unknown.subList(3, 9), texts(reader));
                }
            }
        }
    }

    @Test
    void rangesOverlapByTheSizeOfNumbers() {
        ArchivedRange range = new ArchivedRange("9", "9");
        range.add("100");
        range.add("10");
        assertEquals("100", range.high);
        assertTrue(range.overlaps(new ArchivedRange("100", "1000")));
        assertTrue(new ArchivedRange("1", "5000").overlaps(range));
        assertFalse(range.overlaps(new ArchivedRange("101", "102")));
        assertFalse(range.overlaps(new ArchivedRange("1", "8")));
    }

    @Test
    void aBackfillChoosesTheHoursThatCanHoldItsEvents() {
        long hour = 3_600_000;
        long day = 1_790_000_000_000L / (24 * hour) * 24 * hour; // 2026-09-21
        FilesPlan plan = FilesPlan.backfill("s3://b/events/", "", day, day + hour, day + 3 * hour, "us-east-1");
        Map<String, Long> files = new TreeMap<>();
        for (String place : List.of("20/00", "20/01", "21/03", "21/04")) {
            files.put("s3://b/events/2026/09/" + place + "/events-1.gz", 0L);
        }
        files.put("s3://b/events/2026/13/32/25/events-1.gz", 0L); // no hour: it may hold anything
        files.put("s3://b/events/unsorted.gz", 0L);
        assertEquals(
                List.of(
                        "s3://b/events/2026/09/20/01/events-1.gz",
                        "s3://b/events/2026/09/21/03/events-1.gz",
                        "s3://b/events/2026/13/32/25/events-1.gz",
                        "s3://b/events/unsorted.gz"),
                new ArrayList<>(plan.chosen(files).keySet()));
        assertEquals(files, FilesPlan.live("s3://b/events/", true, false, hour, "us-east-1").chosen(files));
    }

    @Test
    void ofTheLiveRejectionsThoseCountThatThePayloadDoesNotShow() throws IOException {
        write(
                "no-name-for-gzip",
                "{\"partition\":\"p\",\"position\":\"1\",\"reason\":\"late_after_idle\"}",
                "{\"partition\":\"p\",\"position\":\"2\",\"reason\":\"malformed\",\"payload\":\"{\"}");
        LiveRejections rejections = new LiveRejections();
        rejections.add(path("no-name-for-gzip"));
        assertEquals(Reason.LATE_AFTER_IDLE, rejections.of(new Intake("s", "p", "1", 0, null)));
        assertNull(rejections.of(new Intake("s", "p", "2", 0, null)));
        assertNull(rejections.of(new Intake("s", "q", "1", 0, null)));
        write("events", "{}");
        IOException other = assertThrows(IOException.class, () -> rejections.add(path("events")));
        assertTrue(other.getMessage().startsWith(path("events") + ": line 1 is not a rejection"), other.getMessage());
    }

    /** Lines that broke the archive's reader in trials; the good ones around them count. */
    @Test
    void anyBytesInALineAreARejection() throws IOException {
        String longPosition = line("p", "9".repeat(70_000), "x");
        List<byte[]> odd =
                List.of(
                        new byte[] {0, '{', 0, 0},
                        new byte[] {0, 0, '{', 0},
                        new byte[] {0, 0, 0, '{', 0x7f, -1, -1, -1},
                        longPosition.getBytes(StandardCharsets.UTF_8),
                        ("{\"n\":" + "1".repeat(1_000_000) + "}").getBytes(StandardCharsets.UTF_8),
                        ("{\"zz\":" + "[".repeat(31_000_000)).getBytes(StandardCharsets.UTF_8),
                        line("p", "3", "x").replace("\"s\"", "7").getBytes(StandardCharsets.UTF_8),
                        line("p", "4", "x").replace(":5,", ":-5,").getBytes(StandardCharsets.UTF_8),
                        line("p", "5", "x").replace(":5,", ":1e3,").getBytes(StandardCharsets.UTF_8),
                        line("p", "6", "x").replace(":5,", ":9999999999999999999,").getBytes(StandardCharsets.UTF_8));
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(line("p", "1", "one\n").getBytes(StandardCharsets.UTF_8));
        for (byte[] each : odd) {
            file.write('\n');
            file.writeBytes(each);
        }
        file.write('\n');
        file.writeBytes(line("p", "2", "two\n").getBytes(StandardCharsets.UTF_8));
        Files.write(folder.resolve("odd"), file.toByteArray());
        try (SortedArchive archive = new SortedArchive(folder.toUri().toString(), 1)) {
            archive.add(path("odd"), 5);
            Map<String, PartitionReader> readers = archive.readers();
            assertEquals(Set.of("p", "."), readers.keySet());
            assertEquals("1", readers.get("p").next().position);
            assertEquals("2", readers.get("p").next().position);
            assertNull(readers.get("p").next());
            int rejected = 0;
            for (Intake each = readers.get(".").next(); each != null; each = readers.get(".").next()) {
                assertEquals(Reason.MALFORMED, each.reason);
                assertTrue(each.detail.startsWith("not a line of the archive: "), each.detail);
                rejected++;
            }
            assertEquals(odd.size(), rejected);
        }
    }

    @Test
    void theRecordsOfAPackedOneAreEachOnceAndInOrder() throws IOException {
        String sequence = "4".repeat(56);
        List<String> positions = new ArrayList<>(List.of(sequence));
        for (int sub = 1; sub < 12; sub++) {
            positions.add(Position.of(sequence, sub));
        }
        positions.add("4".repeat(55) + "5");
        List<String> mixed = new ArrayList<>(positions);
        Collections.shuffle(mixed, new Random(1));
        write("one", mixed.stream().map(position -> line("p", position, position)).toArray(String[]::new));
        write("two", line("p", Position.of(sequence, 3), Position.of(sequence, 3)));
        try (SortedArchive archive = new SortedArchive(folder.toUri().toString(), 1)) {
            archive.add(path("one"), 5);
            archive.add(path("two"), 6);
            PartitionReader reader = archive.readers().get("p");
            for (String position : positions) {
                assertEquals(position, reader.next().position);
            }
            assertNull(reader.next());
        }
    }

    private static String line(String partition, String position, String payload) {
        return "{\"source\":\"s\",\"partition\":\"" + partition + "\",\"position\":\"" + position
                + "\",\"arrival_time\":5,\"payload\":\""
                + Base64.getEncoder().encodeToString(payload.getBytes(StandardCharsets.UTF_8)) + "\"}";
    }

    private String prefix() {
        return folder.toUri().toString();
    }

    private String path(String name) {
        return folder.resolve(name).toUri().toString();
    }

    /** Readers of everything that is there. */
    private Map<String, PartitionReader> folders(List<String> finished) throws IOException {
        return FolderReader.of(prefix(), new FileListing(prefix(), Map.of()).look(), finished::add, path -> {});
    }

    /** Readers of these files, whether they are there or not. */
    private Map<String, PartitionReader> folder(String... names) {
        Map<String, Long> files = new TreeMap<>();
        for (String name : names) {
            files.put(path(name), 0L);
        }
        return FolderReader.of(prefix(), files, path -> {}, gone::add);
    }

    private void write(String name, String... lines) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, gzipped(String.join("\n", lines) + "\n"));
    }

    private static byte[] gzipped(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private static byte[] concatenated(byte[]... parts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            bytes.write(part);
        }
        return bytes.toByteArray();
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
