package io.rigmesh.worker.cuda;

import java.util.ArrayList;
import java.util.List;

/// Writes a kernel's arguments in the order of its signature.
final class Arguments {
  private final List<Argument> list = new ArrayList<>();

  /// Device addresses, 0 for null pointers.
  Arguments at(long... addresses) {
    for (long address : addresses) {
      list.add(new Argument.Address(address));
    }
    return this;
  }

  Arguments ints(int... values) {
    for (int value : values) {
      list.add(new Argument.Int32(value));
    }
    return this;
  }

  Arguments longs(long value) {
    list.add(new Argument.Int64(value));
    return this;
  }

  /// What a launch asks the cache for.
  Arguments ahead(ReadAhead ahead) {
    return at(ahead.address()).longs(ahead.bytes());
  }

  Arguments real(float value) {
    list.add(new Argument.Float32(value));
    return this;
  }

  List<Argument> list() {
    return list;
  }
}
