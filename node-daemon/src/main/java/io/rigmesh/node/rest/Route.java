package io.rigmesh.node.rest;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;

/// One thing that the interface does. The list of all routes and openapi.yaml say the same; a test
/// compares them.
///
/// @param method the method
/// @param path the path, with `{name}` for a part and `{*name}` for all the rest
/// @param access who may ask
/// @param bodyBytesMax the most bytes of its body
/// @param handler what answers
record Route(HttpMethod method, String path, Access access, long bodyBytesMax, Handler handler) {
  /// Who may ask.
  enum Access {
    /// Anyone who reaches the port: health, metrics, and the description of the interface.
    OPEN,
    /// Who has the token.
    TOKEN
  }

  /// What answers. Runs on a virtual thread, so it may block.
  @FunctionalInterface
  interface Handler {
    /// Answers, or throws an [ApiException].
    HttpResponse answer(Call call) throws Exception;
  }

  /// A route without a body.
  static Route of(HttpMethod method, String path, Handler handler) {
    return new Route(method, path, Access.TOKEN, 0, handler);
  }

  /// A route without a body, for anyone.
  static Route open(String path, Handler handler) {
    return new Route(HttpMethod.GET, path, Access.OPEN, 0, handler);
  }

  /// A route with a body.
  static Route withBody(HttpMethod method, String path, long bodyBytesMax, Handler handler) {
    return new Route(method, path, Access.TOKEN, bodyBytesMax, handler);
  }

  /// The path as OpenAPI and metrics write it.
  String template() {
    return path.replace("{*", "{");
  }
}
