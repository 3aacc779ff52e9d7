package realtime.analytics.slots;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.types.Row;

/**
 * A Python job's rows, as columns: what {@link EventColumns} says without the header, in the order of the kinds, with one
 * kind more. a is an array of texts: an int a value, how many, -1 for null; then all of them as a column of kind s with an
 * int in front, how many there are.
 */
final class ResultColumns {
    private static final int DECIMAL_SCALE = 6;

    private ResultColumns() {}

    static TypeInformation<?> type(char kind) {
        switch (kind) {
            case 'q':
                return Types.LONG;
            case 'd':
                return Types.DOUBLE;
            case 'm':
                return Types.BIG_DEC;
            case 'b':
                return Types.BOOLEAN;
            case 's':
                return Types.STRING;
            case 'a':
                return Types.OBJECT_ARRAY(Types.STRING);
            default:
                throw new IllegalArgumentException("no kind " + kind);
        }
    }

    /** Reads the rows; {@code in} is little-endian. */
    static void read(ByteBuffer in, String kinds, Consumer<Row> out) {
        Row[] rows = new Row[in.getInt()];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = new Row(kinds.length());
        }
        for (int column = 0; column < kinds.length(); column++) {
            char kind = kinds.charAt(column);
            if (kind == 's') {
                String[] texts = texts(in, rows.length);
                for (int i = 0; i < rows.length; i++) {
                    rows[i].setField(column, texts[i]);
                }
            } else if (kind == 'a') {
                arrays(in, rows, column);
            } else {
                numbers(in, rows, column, kind);
            }
        }
        for (int left = in.getInt(); left > 0; left--) {
            int column = in.getInt();
            int row = in.getInt();
            rows[row].setField(column, new BigDecimal(new BigInteger(text(in)), DECIMAL_SCALE));
        }
        for (Row row : rows) {
            out.accept(row);
        }
    }

    private static void numbers(ByteBuffer in, Row[] rows, int column, char kind) {
        for (Row row : rows) {
            row.setField(column, value(in.getLong(), kind));
        }
        for (int left = in.getInt(); left > 0; left--) {
            rows[in.getInt()].setField(column, null);
        }
    }

    private static Object value(long number, char kind) {
        switch (kind) {
            case 'd':
                return Double.longBitsToDouble(number);
            case 'm':
                return BigDecimal.valueOf(number, DECIMAL_SCALE);
            case 'b':
                return number != 0;
            default:
                return number;
        }
    }

    private static void arrays(ByteBuffer in, Row[] rows, int column) {
        int[] sizes = new int[rows.length];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = in.getInt();
        }
        String[] all = texts(in, in.getInt());
        int at = 0;
        for (int i = 0; i < rows.length; i++) {
            if (sizes[i] >= 0) {
                String[] texts = new String[sizes[i]];
                System.arraycopy(all, at, texts, 0, texts.length);
                at += texts.length;
                rows[i].setField(column, texts);
            }
        }
    }

    private static String[] texts(ByteBuffer in, int count) {
        String[] words = new String[in.getInt()];
        for (int i = 0; i < words.length; i++) {
            words[i] = text(in);
        }
        String[] texts = new String[count];
        for (int i = 0; i < count; i++) {
            int word = in.getInt();
            texts[i] = word < 0 ? null : words[word];
        }
        return texts;
    }

    private static String text(ByteBuffer in) {
        int length = in.getInt();
        String text = new String(in.array(), in.arrayOffset() + in.position(), length, StandardCharsets.UTF_8);
        in.position(in.position() + length);
        return text;
    }
}
