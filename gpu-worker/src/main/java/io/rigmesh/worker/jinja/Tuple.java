package io.rigmesh.worker.jinja;

import java.util.List;

/// Python's tuple: a list that is printed in parentheses and is no list to a comparison.
record Tuple(List<Object> items) {
  Tuple {
    items = List.copyOf(items);
  }
}
