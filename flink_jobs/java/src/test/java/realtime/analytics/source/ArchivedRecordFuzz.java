package realtime.analytics.source;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import realtime.analytics.fuzz.Foreign;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.MalformedException;

/** Any line of an archive is a record with a place that can be sorted and written, or malformed. */
public final class ArchivedRecordFuzz {
    private static final ArchivedRecord READER = new ArchivedRecord();

    private ArchivedRecordFuzz() {}

    public static void fuzzerTestOneInput(FuzzedDataProvider data) throws IOException {
        try {
            Intake record =
                    READER.read(Foreign.object(data, "source", "partition", "position", "arrival_time", "payload"));
            DataOutputStream out = new DataOutputStream(new ByteArrayOutputStream());
            out.writeUTF(record.source);
            out.writeUTF(record.partition);
            out.writeUTF(record.position);
            String other = data.consumeAsciiString(6);
            int order = Position.ORDER.compare(record.position, other);
            if (order != -Position.ORDER.compare(other, record.position) || order == 0 && !record.position.equals(other)) {
                throw new AssertionError(record.position + " and " + other + " have no order");
            }
        } catch (MalformedException expected) {
            if (expected.getMessage().length() > 200) {
                throw new AssertionError(expected.getMessage());
            }
        }
    }
}
