package io.rigmesh.worker.cuda;

import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.llama.RandomStream;
import io.rigmesh.worker.serve.Draw;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// Writes down what the device must know to choose tokens, as draws.cuh reads it: the number of
/// draws, the words that begin as 0 (argmax's and the tokens), the draws, and the tokens whose
/// logits change. Memory is taken once.
final class SamplingInput {
  private static final int HEADER = 2;
  private static final int BEST_WORDS = 2;
  private static final int TOKEN_WORDS = 1;
  private static final int DRAW_WORDS = 12;
  private static final int CHANGE_WORDS = 4;
  private static final int BIASED = 1;
  private static final int PENALISED = 2;
  private static final float GREEDY = -1f;

  private final SamplingMemory memory;
  private final int[] words;
  private final List<Integer> taken = new ArrayList<>();
  private int changes;
  private boolean ranks;

  SamplingInput(SamplingMemory memory) {
    this.memory = memory;
    this.words = new int[Math.toIntExact(words(memory.drawsMax()))];
  }

  /// How many words there are for so many draws.
  static long words(int drawsMax) {
    if (drawsMax == 0) {
      return HEADER;
    }
    return HEADER
        + (long) drawsMax * (BEST_WORDS + TOKEN_WORDS + DRAW_WORDS)
        + (long) CHANGE_WORDS * SamplingMemory.CHANGES_MAX;
  }

  long best() {
    return at(HEADER);
  }

  long tokens() {
    return at(HEADER + memory.drawsMax() * BEST_WORDS);
  }

  long draws() {
    return at(firstDraw());
  }

  long changes() {
    return at(firstChange());
  }

  private int firstDraw() {
    return HEADER + memory.drawsMax() * (BEST_WORDS + TOKEN_WORDS);
  }

  private int firstChange() {
    return firstDraw() + memory.drawsMax() * DRAW_WORDS;
  }

  private long at(int word) {
    return memory.input() + 4L * word;
  }

  /// Writes those draws down that the device can do, and gives the words to copy, valid until the
  /// next call. [#taken] has their places.
  MemorySegment write(List<Draw> draws) {
    taken.clear();
    changes = 0;
    ranks = false;
    for (int i = 0; i < draws.size() && taken.size() < memory.drawsMax(); i++) {
      if (write(draws.get(i))) {
        taken.add(i);
      }
    }
    words[0] = taken.size();
    return MemorySegment.ofArray(words).asSlice(0, 4L * (firstChange() + changes * CHANGE_WORDS));
  }

  /// Which draws were written, in order.
  List<Integer> taken() {
    return taken;
  }

  /// Whether any of them needs the most likely tokens in order.
  boolean ranks() {
    return ranks;
  }

  private boolean write(Draw draw) {
    SamplingParameters parameters = draw.parameters();
    boolean greedy = parameters.temperature() == 0f;
    int topK =
        parameters.topK() >= memory.vocabularySize() ? memory.vocabularySize() : parameters.topK();
    if (!greedy && topK > SamplingMemory.RANKED) {
      return false;
    }
    int first = changes;
    if (!writeChanges(draw)) {
      changes = first;
      return false;
    }
    float u =
        greedy
            ? GREEDY
            : Philox.uniform(parameters.seed(), RandomStream.SAMPLING.lane(0), draw.position());
    int at = firstDraw() + taken.size() * DRAW_WORDS;
    words[at] = draw.output();
    words[at + 1] = Float.floatToRawIntBits(greedy ? 1f : 1f / parameters.temperature());
    words[at + 2] = Float.floatToRawIntBits(u);
    words[at + 3] = topK;
    words[at + 4] = Float.floatToRawIntBits(parameters.topP());
    words[at + 5] = Float.floatToRawIntBits(parameters.minP());
    words[at + 6] = first;
    words[at + 7] = changes - first;
    words[at + 8] = Float.floatToRawIntBits(parameters.penalties().repetition());
    words[at + 9] = Float.floatToRawIntBits(parameters.penalties().frequency());
    words[at + 10] = Float.floatToRawIntBits(parameters.penalties().presence());
    ranks |= !greedy && (topK > 0 || parameters.topP() < 1f);
    return true;
  }

  /// A token's bias and penalty together, since the second is of what the first leaves.
  private record Change(int kinds, float bias, int generated) {
    Change and(Change other) {
      return new Change(kinds | other.kinds, bias + other.bias, generated + other.generated);
    }
  }

  private boolean writeChanges(Draw draw) {
    SortedMap<Integer, Change> all = new TreeMap<>();
    draw.parameters().bias().forEach((id, bias) -> all.put(id, new Change(BIASED, bias, 0)));
    if (!draw.parameters().penalties().isNone()) {
      draw.history()
          .forEach(
              (id, generated) -> all.merge(id, new Change(PENALISED, 0f, generated), Change::and));
    }
    if (all.isEmpty()) {
      return true;
    }
    if (all.firstKey() < 0
        || all.lastKey() >= memory.vocabularySize()
        || all.size() > SamplingMemory.CHANGES_MAX - changes) {
      return false;
    }
    int at = firstChange() + changes * CHANGE_WORDS;
    for (Map.Entry<Integer, Change> entry : all.entrySet()) {
      words[at] = entry.getKey();
      words[at + 1] = entry.getValue().kinds();
      words[at + 2] = Float.floatToRawIntBits(entry.getValue().bias());
      words[at + 3] = entry.getValue().generated();
      at += CHANGE_WORDS;
    }
    changes += all.size();
    return true;
  }
}
