package io.rigmesh.worker.jinja;

/// Python's None.
enum None {
  NONE
}
