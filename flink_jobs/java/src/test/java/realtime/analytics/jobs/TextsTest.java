package realtime.analytics.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextsTest {
    private static final String[] PIECES = {
        "", "a", "b", "A", "\u00e9", "\u0800", "\ud7ff", "\ue000", "\ufb01", "\uffff", "\ud800\udc00", "\ud83d\ude00",
        "\udbff\udfff"
    };

    /** UTF-8 keeps the order of code points, so its bytes, unsigned, are the model. */
    @Test
    void ordersAsTheBytesOfUtf8Do() {
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            String left = text(random);
            String right = text(random);
            int expected =
                    Arrays.compareUnsigned(
                            left.getBytes(StandardCharsets.UTF_8), right.getBytes(StandardCharsets.UTF_8));
            assertEquals(
                    Integer.signum(expected),
                    Integer.signum(Texts.BY_CODE_POINT.compare(left, right)),
                    () -> left + " | " + right);
        }
    }

    @Test
    void anEmojiComesAfterAnyCharacterOfOneUnit() {
        List<String> texts = new ArrayList<>(List.of("\ud83d\ude00", "\uffee", "z", ""));
        texts.sort(Texts.BY_CODE_POINT);
        assertEquals(List.of("", "z", "\uffee", "\ud83d\ude00"), texts);
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(4); i > 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }
}
