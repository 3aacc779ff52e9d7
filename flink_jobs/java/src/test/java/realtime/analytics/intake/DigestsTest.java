package realtime.analytics.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

class DigestsTest {
    @TestFactory
    Stream<DynamicTest> givesTheIdsOfTheSharedVectors() {
        return Vectors.read("result_ids.json").stream()
                .map(vector -> DynamicTest.dynamicTest(vector.get("id").asText(), () -> check(vector)));
    }

    private static void check(JsonNode vector) {
        List<Object> key = new ArrayList<>();
        for (JsonNode part : vector.get("key")) {
            key.add(part.isTextual() ? (Object) part.asText() : (Object) part.asLong());
        }
        String id =
                Digests.resultId(
                        vector.get("type").asText(),
                        vector.get("start").asLong(),
                        vector.get("end").asLong(),
                        key.toArray());
        assertEquals(vector.get("id").asText(), id);
    }
}
