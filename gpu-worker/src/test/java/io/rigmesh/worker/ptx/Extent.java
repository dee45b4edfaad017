package io.rigmesh.worker.ptx;

/// The shape of a grid or of a block.
public record Extent(int x, int y, int z) {
  public Extent {
    if (x < 1 || y < 1 || z < 1) {
      throw new PtxException(
          "A grid or block of " + x + " x " + y + " x " + z + " has no threads.");
    }
  }

  /// A shape of one dimension.
  public static Extent of(int x) {
    return new Extent(x, 1, 1);
  }

  int count() {
    return Math.multiplyExact(Math.multiplyExact(x, y), z);
  }

  /// The coordinates of element `index`, x running fastest.
  String place(int index) {
    return "(" + x(index) + ", " + y(index) + ", " + z(index) + ")";
  }

  int x(int index) {
    return index % x;
  }

  int y(int index) {
    return index / x % y;
  }

  int z(int index) {
    return index / x / y;
  }
}
