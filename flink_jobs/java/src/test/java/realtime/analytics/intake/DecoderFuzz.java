package realtime.analytics.intake;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.math.BigDecimal;
import java.util.Arrays;
import org.apache.flink.types.Row;
import realtime.analytics.fuzz.Foreign;
import realtime.analytics.sink.RejectionEncoder;

/** Any payload is an event within the contract, or a rejection; the record before it does not show. */
public final class DecoderFuzz {
    private static final String[] NAMES = {
        "event_time", "user_id", "event_type", "value", "session_id", "category", "event_id", "ip_address", "timestamp",
        "device", "attempt", "score", "beta"
    };
    private static final OwnFields OWN = new OwnFields("sqdb", "device", "attempt", "score", "beta");
    private static final EventContract CONTRACT = new EventContract(new Tolerance(300_000, 604_800_000), OWN);
    private static final long ARRIVAL = 1_795_429_290_000L;
    private static final EventDecoder DECODER = new EventDecoder(CONTRACT);
    private static final BigDecimal MOST = new BigDecimal("1e18");

    private DecoderFuzz() {}

    public static void fuzzerTestOneInput(FuzzedDataProvider data) {
        byte[] payload = data.consumeInt(0, 15) == 0 ? data.consumeRemainingAsBytes() : Foreign.object(data, NAMES);
        Intake record = decoded(DECODER, payload);
        Intake again = decoded(new EventDecoder(CONTRACT), payload);
        expect(record.reason == again.reason, "the record before shows");
        if (!record.accepted()) {
            expect(record.detail.length() < 200, record.detail);
            RejectionEncoder.document(record, "live");
            return;
        }
        expect(Math.abs(record.eventTime - ARRIVAL) <= 604_800_000, "time");
        expect(fits(record.eventType) && !record.eventType.isEmpty(), "event_type");
        for (String text : Arrays.asList(record.sessionId, record.category, record.eventId)) {
            expect(text == null || fits(text) && !text.isEmpty(), "text");
        }
        expect((record.value == null) == (record.amount == null), "value");
        if (record.amount != null) {
            expect(record.amount.scale() == 6 && record.amount.abs().compareTo(MOST) <= 0, "amount");
        }
        Row row = Events.of(record, OWN);
        String device = (String) row.getField(Events.EVENT_REF + 1);
        expect(device == null || fits(device) && !device.isEmpty(), "own text");
        Double score = (Double) row.getField(Events.EVENT_REF + 3);
        expect(score == null || Math.abs(score) <= 1e18, "own number");
    }

    private static Intake decoded(EventDecoder decoder, byte[] payload) {
        Intake record = new Intake("s", "p", "1", ARRIVAL, payload);
        decoder.decode(record);
        return record;
    }

    private static boolean fits(String text) {
        return text.length() <= EventDecoder.MAX_STRING_LENGTH;
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
