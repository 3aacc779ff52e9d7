package realtime.analytics.jobs;

import java.util.Arrays;

/**
 * Count, mean and sum of squared deviations of a set of values, numerically stable.
 *
 * <p>Values within a slice by Welford's update, slices by the pairwise formula of Chan, Golub and LeVeque (1983).
 * Nothing is ever subtracted, so a huge value leaves no trace once its slice is out.
 *
 * <p>The mean is the sum of two numbers, a value of the set and how far the mean is from it: at 1e15 a double knows eighths,
 * which would be a third of the deviation of values between 0 and 1 above it. Squares are of differences times a power of
 * two, which is exact and keeps differences from 1e-280 to the contract's 2e18 from vanishing or overflowing.
 */
final class Moments {
    private static final double SCALE = Math.scalb(1.0, 430);

    long count;
    double shift;
    double offset;
    /** Sum of squared deviations, each times SCALE. */
    double squares;

    Moments() {}

    Moments(long count, double shift, double offset, double squares) {
        this.count = count;
        this.shift = shift;
        this.offset = offset;
        this.squares = squares;
    }

    /** Moments of the values; sorts them first, so that their order of arrival does not show. */
    static Moments of(double[] values) {
        Arrays.sort(values);
        Moments moments = new Moments();
        moments.shift = values[values.length / 2];
        for (double value : values) {
            moments.count++;
            double delta = moments.distance(value);
            moments.offset += delta / moments.count;
            moments.squares += delta * SCALE * (moments.distance(value) * SCALE);
        }
        return moments;
    }

    void merge(Moments other) {
        if (count == 0) {
            count = other.count;
            shift = other.shift;
            offset = other.offset;
            squares = other.squares;
            return;
        }
        long total = count + other.count;
        double delta = other.shift - shift + (other.offset - offset);
        double share = (double) other.count / total;
        squares += other.squares + delta * SCALE * (delta * SCALE) * count * share;
        offset += delta * share;
        count = total;
    }

    double mean() {
        return shift + offset;
    }

    /** How far the value is above the mean. */
    double distance(double value) {
        return value - shift - offset;
    }

    /** Sample deviation; needs two values. */
    double deviation() {
        return Math.sqrt(squares / (count - 1)) / SCALE;
    }
}
