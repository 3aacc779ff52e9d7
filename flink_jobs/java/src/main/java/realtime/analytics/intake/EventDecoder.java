package realtime.analytics.intake;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Arrays;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;

/**
 * Parses a payload once and fills an {@link Intake} with the typed event or the reason why it is none.
 *
 * <p>Java, because SQL parses a payload once a column: 7 JSON_VALUE and TRY_CAST over a raw column cost 38 CPU seconds
 * a million events, format=json 9 and it drops what is bad in silence (measured, see docs/architecture.md).
 *
 * <p>Checks run in the contract's order of fields, whatever the order in the payload, so that the reason is a
 * function of the content. Broken JSON anywhere beats every other reason, and so does what is
 * beyond the limits of {@link BoundedJson}. Of a repeated key the last one counts.
 */
public final class EventDecoder {
    static final int MAX_PAYLOAD_BYTES = 1_048_576;
    static final double MAX_ABS_VALUE = 1e18;
    static final int MAX_STRING_LENGTH = 256;
    static final int DECIMAL_SCALE = 6;

    private static final BigDecimal ZERO = BigDecimal.ZERO.setScale(DECIMAL_SCALE);
    private static final BigDecimal MAX_VALUE = new BigDecimal("1e18");
    private static final BigInteger MIN_LONG = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX_LONG = BigInteger.valueOf(Long.MAX_VALUE);

    private static final String[] FIELDS = {
        "event_time", "timestamp", "user_id", "event_type", "value", "session_id", "ip_address", "category", "event_id"
    };
    private static final int EVENT_TIME = 0;
    private static final int TIMESTAMP = 1;
    private static final int USER_ID = 2;
    private static final int EVENT_TYPE = 3;
    private static final int VALUE = 4;
    private static final int SESSION_ID = 5;
    private static final int IP_ADDRESS = 6;
    private static final int CATEGORY = 7;
    private static final int EVENT_ID = 8;

    private final Tolerance tolerance;
    private final OwnFields own;
    private final BoundedJson json = new BoundedJson(MAX_PAYLOAD_BYTES);
    /** The fields above, then the team's own. */
    private final String[] names;

    private final JsonToken[] tokens;
    private final String[] texts;

    public EventDecoder(EventContract contract) {
        tolerance = contract.tolerance();
        own = contract.own();
        names = Arrays.copyOf(FIELDS, FIELDS.length + own.count());
        for (int i = 0; i < own.count(); i++) {
            names[FIELDS.length + i] = own.name(i);
        }
        tokens = new JsonToken[names.length];
        texts = new String[names.length];
    }

    /** Decodes {@code record.payload} into the record's fields, or rejects the record. */
    public void decode(Intake record) {
        if (scan(record)
                && time(record)
                && userId(record)
                && eventType(record)
                && value(record)
                && texts(record)
                && own(record)) {
            tolerance.judge(record);
        }
    }

    private boolean scan(Intake record) {
        for (int i = 0; i < names.length; i++) {
            tokens[i] = null;
            texts[i] = null;
        }
        try {
            json.read(record.payload, this::take);
            return true;
        } catch (MalformedException malformed) {
            return fail(record, Reason.MALFORMED, malformed.getMessage());
        }
    }

    private void take(String name, JsonParser value) throws IOException {
        int field = fieldOf(name);
        if (field >= 0) {
            tokens[field] = value.currentToken();
            texts[field] = tokens[field].isScalarValue() ? value.getText() : null;
        }
    }

    private int fieldOf(String name) {
        switch (name) {
            case "event_time":
                return EVENT_TIME;
            case "timestamp":
                return TIMESTAMP;
            case "user_id":
                return USER_ID;
            case "event_type":
                return EVENT_TYPE;
            case "value":
                return VALUE;
            case "session_id":
                return SESSION_ID;
            case "ip_address":
                return IP_ADDRESS;
            case "category":
                return CATEGORY;
            case "event_id":
                return EVENT_ID;
            default:
                return ownFieldOf(name);
        }
    }

    private int ownFieldOf(String name) {
        for (int field = FIELDS.length; field < names.length; field++) {
            if (names[field].equals(name)) {
                return field;
            }
        }
        return -1;
    }

    private boolean time(Intake record) {
        int field = absent(EVENT_TIME) ? TIMESTAMP : EVENT_TIME;
        if (absent(field)) {
            return fail(record, Reason.MISSING_FIELD, "event_time (or timestamp) is missing");
        }
        JsonToken token = tokens[field];
        if (token == JsonToken.VALUE_STRING) {
            if (texts[field].isEmpty()) {
                return fail(record, Reason.MISSING_FIELD, names[field] + " is empty");
            }
            record.eventTime = EventTimes.parse(texts[field]);
            if (record.eventTime != EventTimes.INVALID) {
                return true;
            }
            return fail(record, Reason.INVALID_TIME, names[field] + " is not an ISO 8601 time of 1970 to 9999");
        }
        if (token == JsonToken.VALUE_NUMBER_INT) {
            // 16 characters hold every time in range; a longer number needs no parsing to be out of it.
            if (texts[field].length() <= 16) {
                record.eventTime = Long.parseLong(texts[field]);
                if (EventTimes.inRange(record.eventTime)) {
                    return true;
                }
            }
            return fail(record, Reason.INVALID_TIME, names[field] + " is not in epoch milliseconds of 1970 to 9999");
        }
        if (token == JsonToken.VALUE_NUMBER_FLOAT) {
            return fail(record, Reason.INVALID_TIME, names[field] + " is not a whole number of milliseconds");
        }
        return wrongType(record, field, "a text or a whole number");
    }

    private boolean userId(Intake record) {
        if (absent(USER_ID)) {
            return fail(record, Reason.MISSING_FIELD, "user_id is missing");
        }
        if (!whole(record, USER_ID)) {
            return false;
        }
        record.userId = Long.parseLong(texts[USER_ID]);
        return true;
    }

    private boolean whole(Intake record, int field) {
        if (tokens[field] != JsonToken.VALUE_NUMBER_INT) {
            return wrongType(record, field, "a whole number");
        }
        if (texts[field].length() <= 18) {
            return true;
        }
        BigInteger number = new BigInteger(texts[field]);
        return number.compareTo(MIN_LONG) >= 0 && number.compareTo(MAX_LONG) <= 0
                || fail(record, Reason.OUT_OF_RANGE, names[field] + " does not fit in 64 bits");
    }

    private boolean eventType(Intake record) {
        if (absent(EVENT_TYPE)) {
            return fail(record, Reason.MISSING_FIELD, "event_type is missing");
        }
        if (!text(record, EVENT_TYPE)) {
            return false;
        }
        if (texts[EVENT_TYPE].isEmpty()) {
            return fail(record, Reason.MISSING_FIELD, "event_type is empty");
        }
        record.eventType = texts[EVENT_TYPE];
        return true;
    }

    private boolean value(Intake record) {
        if (absent(VALUE)) {
            return true;
        }
        if (!number(record, VALUE)) {
            return false;
        }
        double number = Double.parseDouble(texts[VALUE]);
        BigDecimal exact = inRange(record, VALUE, number);
        if (exact == null) {
            return false;
        }
        record.value = number;
        record.amount = exact.setScale(DECIMAL_SCALE, RoundingMode.HALF_UP);
        return true;
    }

    private boolean number(Intake record, int field) {
        return tokens[field] == JsonToken.VALUE_NUMBER_INT
                || tokens[field] == JsonToken.VALUE_NUMBER_FLOAT
                || wrongType(record, field, "a number");
    }

    /** The field's number as written, see {@link #exact}; null when it is too large, and the record rejected. */
    private BigDecimal inRange(Intake record, int field, double number) {
        // Before the exact number is made: its exponent may be huge.
        if (Math.abs(number) <= MAX_ABS_VALUE) {
            BigDecimal exact = exact(texts[field], number);
            if (exact.abs().compareTo(MAX_VALUE) <= 0) {
                return exact;
            }
        }
        fail(record, Reason.OUT_OF_RANGE, names[field] + " is beyond 1e18");
        return null;
    }

    /** The number as written, or zero where it rounds to that: so an exponent like e-999999999 costs nothing. */
    private static BigDecimal exact(String token, double number) {
        return Math.abs(number) < 1e-7 ? ZERO : new BigDecimal(token);
    }

    private boolean texts(Intake record) {
        for (int field = SESSION_ID; field <= EVENT_ID; field++) {
            if (!absent(field) && !textOrWhole(record, field)) {
                return false;
            }
        }
        record.sessionId = emptyToNull(texts[SESSION_ID]);
        record.category = emptyToNull(texts[CATEGORY]);
        record.eventId = emptyToNull(texts[EVENT_ID]);
        return true;
    }

    private boolean own(Intake record) {
        if (own.count() == 0) {
            return true;
        }
        String[] values = new String[own.count()];
        for (int i = 0; i < values.length; i++) {
            int field = FIELDS.length + i;
            if (!absent(field) && !ofKind(record, field, own.kind(i))) {
                return false;
            }
            values[i] = emptyToNull(texts[field]);
        }
        record.own = values;
        return true;
    }

    private boolean ofKind(Intake record, int field, char kind) {
        switch (kind) {
            case 'q':
                return whole(record, field);
            case 'd':
                return number(record, field)
                        && inRange(record, field, Double.parseDouble(texts[field])) != null;
            case 'b':
                return tokens[field].isBoolean() || wrongType(record, field, "true or false");
            default:
                return textOrWhole(record, field);
        }
    }

    private String emptyToNull(String text) {
        return text == null || text.isEmpty() ? null : text;
    }

    /** A whole number is an id as it is written: 42 and "42" are one session. */
    private boolean textOrWhole(Intake record, int field) {
        return tokens[field] == JsonToken.VALUE_NUMBER_INT ? fits(record, field) : text(record, field);
    }

    private boolean text(Intake record, int field) {
        if (tokens[field] != JsonToken.VALUE_STRING) {
            return wrongType(record, field, "a text");
        }
        if (!fits(record, field)) {
            return false;
        }
        String text = texts[field];
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (i + 1 == text.length() || !Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
                    return fail(record, Reason.MALFORMED, names[field] + " holds half a surrogate pair");
                }
                i++;
            }
        }
        return true;
    }

    private boolean fits(Intake record, int field) {
        return texts[field].length() <= MAX_STRING_LENGTH
                || fail(record, Reason.OUT_OF_RANGE, names[field] + " is longer than " + MAX_STRING_LENGTH);
    }

    /** Absent or null; clears the text of a null so that nobody reads the word "null". */
    private boolean absent(int field) {
        if (tokens[field] == JsonToken.VALUE_NULL) {
            tokens[field] = null;
            texts[field] = null;
        }
        return tokens[field] == null;
    }

    private boolean wrongType(Intake record, int field, String wanted) {
        return fail(record, Reason.INVALID_TYPE, names[field] + " is not " + wanted);
    }

    private static boolean fail(Intake record, Reason reason, String detail) {
        record.reject(reason, detail);
        return false;
    }
}
