package realtime.analytics.intake;

import java.io.Serializable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;

/**
 * The fields that a team has added to its events in contracts/events.py, in that order; each may be absent.
 *
 * <p>A field's kind is a letter: s a text, q a 64-bit integer, d a double, b true or false. Between decoder and row a
 * value is the text of its JSON token, so that one array serializes them all, whatever their kinds.
 */
public final class OwnFields implements Serializable {
    private static final long serialVersionUID = 1L;

    private final String[] names;
    private final char[] kinds;

    /** @param kinds a letter a name. */
    public OwnFields(String kinds, String... names) {
        if (kinds.length() != names.length) {
            throw new IllegalArgumentException(names.length + " fields, but kinds are '" + kinds + "'");
        }
        this.names = names.clone();
        this.kinds = kinds.toCharArray();
        for (int field = 0; field < names.length; field++) {
            type(field);
        }
    }

    int count() {
        return names.length;
    }

    String name(int field) {
        return names[field];
    }

    char kind(int field) {
        return kinds[field];
    }

    TypeInformation<?> type(int field) {
        switch (kinds[field]) {
            case 's':
                return Types.STRING;
            case 'q':
                return Types.LONG;
            case 'd':
                return Types.DOUBLE;
            case 'b':
                return Types.BOOLEAN;
            default:
                throw new IllegalArgumentException(names[field] + ": no kind " + kinds[field]);
        }
    }

    /** The value of an accepted record's field, in the type of its column. */
    Object value(int field, String text) {
        if (text == null) {
            return null;
        }
        switch (kinds[field]) {
            case 'q':
                return Long.valueOf(text);
            case 'd':
                return Double.valueOf(text);
            case 'b':
                return Boolean.valueOf(text);
            default:
                return text;
        }
    }
}
