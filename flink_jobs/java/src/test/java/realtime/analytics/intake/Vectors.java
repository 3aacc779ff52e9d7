package realtime.analytics.intake;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** The vectors in tests/vectors, which the Python tests read, too: what both sides must agree on. */
public final class Vectors {
    private Vectors() {}

    /** The objects of a file; Maven and surefire run in the folder of pom.xml. */
    public static List<JsonNode> read(String name) {
        Path file = Path.of("tests", "vectors", name);
        try {
            List<JsonNode> vectors = new ArrayList<>();
            new ObjectMapper().readTree(Files.readAllBytes(file)).forEach(vectors::add);
            return vectors;
        } catch (IOException missing) {
            throw new UncheckedIOException("cannot read " + file, missing);
        }
    }
}
