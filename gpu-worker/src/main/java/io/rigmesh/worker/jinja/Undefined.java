package io.rigmesh.worker.jinja;

/// What a name, an attribute or an item is that is not there: nothing when it is printed, counted
/// or iterated over, and an error when more is asked of it.
///
/// @param what how it was asked for, for the error
record Undefined(String what) {
  Problem problem() {
    return new Problem(what + " is undefined");
  }
}
