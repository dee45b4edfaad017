package io.rigmesh.worker.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.generate.GenerationRequest;
import io.rigmesh.worker.generate.SamplingParameters;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/// Sequences that enter, grow and leave at random, over a pool alone.
class PagePoolPropertyTest {
  private static final int PAGES = 13;

  @Property(tries = 200)
  void noSequenceInsideEverLacksAPageAndNoPageIsWrittenByTwo(@ForAll long seed) {
    Random random = new Random(seed);
    PagePool pool = new PagePool(PAGES, true);
    List<Sequence> inside = new ArrayList<>();
    Map<Integer, List<Integer>> contents = new HashMap<>();
    for (int i = 0; i < 120; i++) {
      if (random.nextInt(3) == 0) {
        Sequence sequence = sequence(random);
        if (sequence.pagesMax() <= PAGES && sequence.tryEnter(pool)) {
          inside.add(sequence);
        }
      } else if (!inside.isEmpty()) {
        Sequence sequence = inside.get(random.nextInt(inside.size()));
        boolean ended = random.nextInt(12) == 0 || step(sequence, pool, random, contents);
        if (ended) {
          sequence.leave(pool);
          inside.remove(sequence);
        }
      }
      assertThat(pool.available()).isNotNegative();
      assertThat(pool.held()).isLessThanOrEqualTo(PAGES);
    }
    inside.forEach(sequence -> sequence.leave(pool));
    assertThat(pool.held()).isZero();
    assertThat(pool.available()).isEqualTo(PAGES);
  }

  /// Writes some rows and checks that every page of the sequence holds its own tokens.
  private static boolean step(
      Sequence sequence, PagePool pool, Random random, Map<Integer, List<Integer>> contents) {
    int rows = 1 + random.nextInt(Math.min(40, sequence.rowsWaiting()));
    int[] tokens = new int[rows];
    sequence.copyTokens(rows, tokens, 0);
    Segment segment = sequence.segment(pool, 0, rows);
    for (int row = 0; row < rows; row++) {
      int position = segment.firstPosition() + row;
      List<Integer> page =
          contents.computeIfAbsent(
              segment.pageTable()[position / PagePool.PAGE], _ -> new ArrayList<>());
      while (page.size() > position % PagePool.PAGE) {
        page.removeLast();
      }
      page.add(tokens[row]);
    }
    sequence.advance(rows);
    for (int position = 0; position < segment.endPosition(); position++) {
      assertThat(
              contents
                  .get(segment.pageTable()[position / PagePool.PAGE])
                  .get(position % PagePool.PAGE))
          .as("position %d", position)
          .isEqualTo(sequence.tokenAt(position).orElseThrow());
    }
    boolean ended = false;
    if (segment.outputRows() > 0) {
      int position = segment.endPosition();
      sequence.choose(position, random.nextInt(2));
      ended = sequence.reasonToStop(position - sequence.promptLength() + 1, 0).isPresent();
    }
    sequence.namePages(pool);
    return ended;
  }

  private static Sequence sequence(Random random) {
    List<Integer> prompt = new ArrayList<>();
    int length = 1 + random.nextInt(150);
    int kind = random.nextInt(2);
    for (int i = 0; i < length; i++) {
      // Few kinds, so that beginnings are often equal.
      prompt.add(i % 50 == 49 ? kind : 0);
    }
    GenerationRequest generation =
        new GenerationRequest(
            prompt, SamplingParameters.greedy(), 1 + random.nextInt(200), Set.of());
    return new Sequence(
        SequenceRequest.of(generation),
        new TokenStream(9, SequenceRequest.UNLIMITED, () -> {}),
        400);
  }
}
