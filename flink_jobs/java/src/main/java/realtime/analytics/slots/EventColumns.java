package realtime.analytics.slots;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.types.Row;

/**
 * Some events' fields as columns, which Python reads in a call a column instead of one a value
 * (flink_jobs/engine/columns.py is the other side).
 *
 * <pre>
 * header   int length, "name:kind,name:kind,..." in ASCII
 * rows     int
 * q d m b  8 bytes a value; then int n and n row numbers of nulls
 * s        int words, each int length and UTF-8; then an int a value, the word's number, -1 for null
 * t        an int a value, where it ends; then UTF-8
 * large    int n; each int column, int row, int length, the decimal digits of a whole number beyond 64 bits
 * </pre>
 *
 * Numbers are little-endian. The header makes a batch readable for a job that was not there when it was written.
 */
final class EventColumns {
    private static final int INITIAL_ROWS = 16;

    private final Lane lane;
    private final byte[] header;
    private final long[][] numbers;
    private final List<Map<String, Integer>> dictionaries = new ArrayList<>();
    /** Words of a dictionary, or all texts of a column. */
    private final List<List<byte[]>> texts = new ArrayList<>();

    private final int[][] nulls;
    private final int[] nullCounts;
    private List<Large> large = List.of();
    private int rows;

    private static final class Large {
        final int column;
        final int row;
        final byte[] digits;

        Large(int column, int row, BigInteger number) {
            this.column = column;
            this.row = row;
            this.digits = number.toString().getBytes(StandardCharsets.US_ASCII);
        }
    }

    EventColumns(Lane lane) {
        this.lane = lane;
        this.header = header(lane);
        int columns = lane.kinds.length;
        this.numbers = new long[columns][INITIAL_ROWS];
        this.nulls = new int[columns][0];
        this.nullCounts = new int[columns];
        for (char kind : lane.kinds) {
            dictionaries.add(kind == 's' ? new HashMap<>() : null);
            texts.add(isText(kind) ? new ArrayList<>() : null);
        }
    }

    private static byte[] header(Lane lane) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < lane.fields.length; i++) {
            text.append(i == 0 ? "" : ",").append(lane.fields[i]).append(':').append(lane.kinds[i]);
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static boolean isText(char kind) {
        return kind == 's' || kind == 't';
    }

    int rows() {
        return rows;
    }

    void add(Row event) {
        if (rows == numbers[0].length) {
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = Arrays.copyOf(numbers[i], rows * 2);
            }
        }
        for (int i = 0; i < lane.kinds.length; i++) {
            numbers[i][rows] = number(i, event.getField(lane.positions[i]));
        }
        rows++;
    }

    private long number(int column, Object value) {
        char kind = lane.kinds[column];
        if (kind == 's') {
            return value == null ? -1 : word(column, (String) value);
        }
        if (kind == 't') {
            texts.get(column).add(((String) value).getBytes(StandardCharsets.UTF_8));
            return 0;
        }
        if (value == null) {
            // A decimal is summed: one that is not there is 0.
            if (kind != 'm') {
                addNull(column);
            }
            return 0;
        }
        switch (kind) {
            case 'q':
                return (Long) value;
            case 'd':
                return Double.doubleToRawLongBits((Double) value);
            case 'b':
                return (Boolean) value ? 1 : 0;
            case 'm':
                return micros(column, ((BigDecimal) value).unscaledValue());
            default:
                throw new IllegalArgumentException(lane.name + ": no kind " + kind);
        }
    }

    private long word(int column, String text) {
        Map<String, Integer> dictionary = dictionaries.get(column);
        Integer known = dictionary.get(text);
        if (known != null) {
            return known;
        }
        int number = dictionary.size();
        dictionary.put(text, number);
        texts.get(column).add(text.getBytes(StandardCharsets.UTF_8));
        return number;
    }

    private void addNull(int column) {
        if (nullCounts[column] == nulls[column].length) {
            nulls[column] = Arrays.copyOf(nulls[column], Math.max(INITIAL_ROWS, nullCounts[column] * 2));
        }
        nulls[column][nullCounts[column]++] = rows;
    }

    private long micros(int column, BigInteger unscaled) {
        if (unscaled.bitLength() < Long.SIZE) {
            return unscaled.longValue();
        }
        if (large.isEmpty()) {
            large = new ArrayList<>();
        }
        large.add(new Large(column, rows, unscaled));
        return 0;
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(size()).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(header.length).put(header).putInt(rows);
        for (int i = 0; i < lane.kinds.length; i++) {
            if (lane.kinds[i] == 's') {
                out.putInt(texts.get(i).size());
                for (byte[] word : texts.get(i)) {
                    out.putInt(word.length).put(word);
                }
                for (int row = 0; row < rows; row++) {
                    out.putInt((int) numbers[i][row]);
                }
            } else if (lane.kinds[i] == 't') {
                int end = 0;
                for (byte[] text : texts.get(i)) {
                    end += text.length;
                    out.putInt(end);
                }
                texts.get(i).forEach(out::put);
            } else {
                out.asLongBuffer().put(numbers[i], 0, rows);
                out.position(out.position() + Long.BYTES * rows);
                out.putInt(nullCounts[i]);
                out.asIntBuffer().put(nulls[i], 0, nullCounts[i]);
                out.position(out.position() + Integer.BYTES * nullCounts[i]);
            }
        }
        out.putInt(large.size());
        for (Large each : large) {
            out.putInt(each.column).putInt(each.row).putInt(each.digits.length).put(each.digits);
        }
        return out.array();
    }

    private int size() {
        int size = Integer.BYTES + header.length + Integer.BYTES;
        for (int i = 0; i < lane.kinds.length; i++) {
            if (isText(lane.kinds[i])) {
                boolean words = lane.kinds[i] == 's';
                size += Integer.BYTES * rows + (words ? Integer.BYTES : 0);
                for (byte[] text : texts.get(i)) {
                    size += text.length + (words ? Integer.BYTES : 0);
                }
            } else {
                size += Long.BYTES * rows + Integer.BYTES * (1 + nullCounts[i]);
            }
        }
        size += Integer.BYTES;
        for (Large each : large) {
            size += 3 * Integer.BYTES + each.digits.length;
        }
        return size;
    }
}
