package io.rigmesh.worker.serve;

import java.util.ArrayList;
import java.util.List;

/// Who gets how many rows of the next step. Everyone gets one; what is left goes in equal parts to
/// those who have more to read, beginning with another one each time, so that a long prompt delays
/// neither who decodes nor a shorter prompt behind it.
final class RowShares {
  private final int rowsMax;
  private final int outputsMax;
  private int turn;

  /// A sequence's part.
  record Share(Sequence sequence, int rows) {}

  RowShares(int rowsMax, int outputsMax) {
    this.rowsMax = rowsMax;
    this.outputsMax = outputsMax;
  }

  /// The parts of these sequences, each of which has a row to compute, in their order; those for
  /// whom there is none wait for the next step.
  List<Share> of(List<Sequence> sequences) {
    if (sequences.isEmpty()) {
      return List.of();
    }
    int count = Math.min(sequences.size(), Math.min(rowsMax, outputsMax));
    int start = turn % sequences.size();
    turn++;
    int[] rows = new int[sequences.size()];
    int rowsLeft = rowsMax - count;
    int outputsLeft = outputsMax;
    for (int i = 0; i < count; i++) {
      int index = (start + i) % sequences.size();
      rows[index] = 1;
      outputsLeft -= sequences.get(index).outputs(1);
    }
    int wanting = 0;
    for (int i = 0; i < count; i++) {
      wanting += sequences.get((start + i) % sequences.size()).rowsWaiting() > 1 ? 1 : 0;
    }
    for (int i = 0; i < count && rowsLeft > 0; i++) {
      int index = (start + i) % sequences.size();
      Sequence sequence = sequences.get(index);
      int more = sequence.rowsWaiting() - 1;
      if (more == 0) {
        continue;
      }
      int given = Math.min(more, (rowsLeft + wanting - 1) / wanting);
      int outputs = sequence.outputs(1 + given) - sequence.outputs(1);
      int cut = Math.max(0, outputs - outputsLeft);
      given -= cut;
      outputsLeft -= outputs - cut;
      rows[index] += given;
      rowsLeft -= given;
      wanting--;
    }
    List<Share> shares = new ArrayList<>(count);
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] > 0) {
        shares.add(new Share(sequences.get(i), rows[i]));
      }
    }
    return shares;
  }
}
