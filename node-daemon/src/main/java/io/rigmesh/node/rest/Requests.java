package io.rigmesh.node.rest;

import io.netty.util.AttributeKey;

/// What is remembered of a request until it is logged.
final class Requests {
  /// The path template of the route that it took.
  static final AttributeKey<String> ROUTE = AttributeKey.valueOf("rigmesh.route");

  private Requests() {}
}
