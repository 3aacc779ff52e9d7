package realtime.analytics.source;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import realtime.analytics.fuzz.Foreign;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.MalformedException;

/** Any line of an archive of rejections is taken in or refused with a reason. */
public final class LiveRejectionsFuzz {
    private LiveRejectionsFuzz() {}

    public static void fuzzerTestOneInput(FuzzedDataProvider data) {
        LiveRejections rejections = new LiveRejections();
        try {
            rejections.take(Foreign.object(data, "reason", "partition", "position", "payload", "detail"));
            rejections.of(new Intake("s", data.consumeString(4), data.consumeString(4), 0, new byte[0]));
        } catch (MalformedException expected) {
            if (expected.getMessage().length() > 500) {
                throw new AssertionError(expected.getMessage());
            }
        }
    }
}
