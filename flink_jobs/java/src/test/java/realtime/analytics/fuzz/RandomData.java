package realtime.analytics.fuzz;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.lang.reflect.Array;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.SplittableRandom;

/**
 * Drives a fuzz target with random numbers instead of Jazzer's engine: a hundred times as many inputs a second, the same at
 * each run, and blind to coverage. `make test` runs the targets with it, `make fuzz` with Jazzer.
 */
final class RandomData implements InvocationHandler {
    private final SplittableRandom random;

    private RandomData(long seed) {
        random = new SplittableRandom(seed);
    }

    static FuzzedDataProvider of(long seed) {
        return (FuzzedDataProvider)
                Proxy.newProxyInstance(
                        RandomData.class.getClassLoader(),
                        new Class<?>[] {FuzzedDataProvider.class},
                        new RandomData(seed));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) {
        switch (method.getName()) {
            case "consumeBoolean":
                return random.nextBoolean();
            case "consumeByte":
                return (byte) random.nextInt();
            case "consumeInt":
                return arguments == null
                        ? random.nextInt() >> random.nextInt(32)
                        : (int) random.nextLong((int) arguments[0], (int) arguments[1] + 1L);
            case "consumeLong":
                return arguments == null
                        ? random.nextLong() >> random.nextInt(64)
                        : random.nextLong((long) arguments[0], (long) arguments[1] + 1);
            case "consumeDouble":
                return Double.longBitsToDouble(random.nextLong());
            case "consumeBytes":
                return bytes(random.nextInt((int) arguments[0] + 1));
            case "consumeRemainingAsBytes":
                return bytes(random.nextInt(60));
            case "consumeString":
                return text((int) arguments[0], Character.MAX_VALUE + 1);
            case "consumeAsciiString":
                return text((int) arguments[0], 128);
            case "pickValue":
                return Array.get(arguments[0], random.nextInt(Array.getLength(arguments[0])));
            default:
                throw new UnsupportedOperationException(method.getName() + ": add it here");
        }
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private String text(int most, int characters) {
        char[] text = new char[random.nextInt(most + 1)];
        for (int i = 0; i < text.length; i++) {
            text[i] = (char) random.nextInt(characters);
        }
        return new String(text);
    }
}
