package realtime.analytics.fuzz;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import realtime.analytics.intake.DecoderFuzz;
import realtime.analytics.source.ArchivedRecordFuzz;
import realtime.analytics.source.EventFileFuzz;
import realtime.analytics.source.LiveRejectionsFuzz;
import realtime.analytics.source.PackedRecordsFuzz;

/** Each fuzz target over random inputs, the same at each run; {@code -Dfuzz.inputs=10000000} for more. */
class TargetsTest {
    private static final int INPUTS = Integer.getInteger("fuzz.inputs", 20_000);

    private interface Target {
        void run(FuzzedDataProvider data) throws Exception;
    }

    private static final Map<String, Target> TARGETS =
            Map.of(
                    "decoder", DecoderFuzz::fuzzerTestOneInput,
                    "line of the archive", ArchivedRecordFuzz::fuzzerTestOneInput,
                    "line of the archive of rejections", LiveRejectionsFuzz::fuzzerTestOneInput,
                    "packed record", PackedRecordsFuzz::fuzzerTestOneInput,
                    "file", EventFileFuzz::fuzzerTestOneInput);

    @TestFactory
    Stream<DynamicTest> anyBytesAreReadOrRefused() {
        return TARGETS.entrySet().stream()
                .map(target -> DynamicTest.dynamicTest(target.getKey(), () -> run(target.getValue())));
    }

    private static void run(Target target) {
        for (long seed = 0; seed < INPUTS; seed++) {
            try {
                target.run(RandomData.of(seed));
            } catch (Exception | Error escaped) {
                throw new AssertionError("input of seed " + seed, escaped);
            }
        }
    }
}
