package io.rigmesh.worker.kernels;

/// How attention heads lie in a row: a query row is `heads * headDim` long, a key or value row
/// `kvHeads * headDim`, head after head. Query head h reads key-value head `h / (heads / kvHeads)`.
///
/// @param heads the number of query heads, a multiple of `kvHeads`
/// @param kvHeads the number of key-value heads
/// @param headDim the length of one head
public record HeadLayout(int heads, int kvHeads, int headDim) {
  /// Refuses a layout whose query heads cannot be shared out evenly.
  public HeadLayout {
    if (heads < 1 || kvHeads < 1 || headDim < 1 || heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "heads=%d must be a positive multiple of kvHeads=%d, and headDim=%d positive."
              .formatted(heads, kvHeads, headDim));
    }
  }

  /// The length of a query row.
  public int queryCols() {
    return heads * headDim;
  }

  /// The length of a key row and of a value row.
  public int keyCols() {
    return kvHeads * headDim;
  }

  /// How many query heads share one key-value head.
  public int group() {
    return heads / kvHeads;
  }

  /// What every score is multiplied by: 1/sqrt(headDim), computed in double and rounded once.
  public float scoreScale() {
    return (float) (1.0 / StrictMath.sqrt(headDim));
  }
}
