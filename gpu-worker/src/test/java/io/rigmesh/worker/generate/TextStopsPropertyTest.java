package io.rigmesh.worker.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class TextStopsPropertyTest {
  @Provide
  Arbitrary<String> pieces() {
    return Arbitraries.strings().withChars("ab").ofMinLength(0).ofMaxLength(4);
  }

  @Provide
  Arbitrary<List<String>> texts() {
    return pieces().list().ofMaxSize(12);
  }

  @Provide
  Arbitrary<List<String>> stops() {
    return Arbitraries.strings().withChars("ab").ofMinLength(1).ofMaxLength(4).list().ofMaxSize(3);
  }

  @Property
  void whatIsLetThroughIsTheTextBeforeTheFirstStopAndNoCharacterTooMuchOnTheWay(
      @ForAll("texts") List<String> pieces, @ForAll("stops") List<String> stops) {
    TextStops filter = new TextStops(stops);
    StringBuilder seen = new StringBuilder();
    StringBuilder whole = new StringBuilder();
    for (String piece : pieces) {
      if (filter.stopped()) {
        break;
      }
      whole.append(piece);
      seen.append(filter.append(piece));
      int first = first(whole.toString(), stops);
      assertThat(filter.stopped()).isEqualTo(first >= 0);
      if (first >= 0) {
        assertThat(seen.toString()).isEqualTo(whole.substring(0, first));
      } else {
        assertThat(whole.toString()).startsWith(seen.toString());
        String held = whole.substring(seen.length());
        // What is held back could become a stop text, and nothing longer is held than that.
        assertThat(held.isEmpty() || stops.stream().anyMatch(stop -> stop.startsWith(held)))
            .isTrue();
      }
    }
    if (!filter.stopped()) {
      assertThat(seen + filter.finish()).isEqualTo(whole.toString());
    }
    if (filter.stopped()) {
      assertThat(filter.append("aabb") + filter.finish()).isEmpty();
    }
  }

  private static int first(String text, List<String> stops) {
    return stops.stream().mapToInt(text::indexOf).filter(at -> at >= 0).min().orElse(-1);
  }
}
