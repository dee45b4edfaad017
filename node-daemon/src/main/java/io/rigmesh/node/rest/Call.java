package io.rigmesh.node.rest;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.util.TimeoutMode;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// One request while it is answered.
final class Call {
  /// How long a transfer may go without a byte moving.
  static final Duration STALL_MAX = Duration.ofSeconds(30);

  private final ServiceRequestContext ctx;
  private final HttpRequest request;

  Call(ServiceRequestContext ctx, HttpRequest request) {
    this.ctx = ctx;
    this.request = request;
  }

  String requestId() {
    return RequestId.of(ctx);
  }

  /// A part of the path.
  String part(String name) {
    String value = ctx.pathParam(name);
    if (value == null) {
      throw new IllegalStateException("the route has no part " + name);
    }
    return value;
  }

  /// A part of the path that is a hash.
  Hash hash(String name) {
    try {
      return Hash.fromHex(part(name));
    } catch (MalformedException e) {
      throw ApiException.invalid(name, name + ": " + e.sentence());
    }
  }

  /// A query parameter.
  Optional<String> query(String name) {
    return Optional.ofNullable(ctx.queryParam(name));
  }

  /// Refuses query parameters that the route does not know, since a misspelt one would otherwise
  /// silently do nothing.
  void allowQueries(Set<String> names) {
    TreeSet<String> unknown = new TreeSet<>(ctx.queryParams().names());
    unknown.removeAll(names);
    if (!unknown.isEmpty()) {
      throw ApiException.invalid(
          unknown.first(),
          "there is no query parameter " + unknown.first() + "; known: " + new TreeSet<>(names));
    }
  }

  /// A query parameter that is a whole number.
  int integer(String name, int fallback, int min, int max) {
    Optional<String> text = query(name);
    if (text.isEmpty()) {
      return fallback;
    }
    try {
      int value = Integer.parseInt(text.get());
      if (value >= min && value <= max) {
        return value;
      }
    } catch (NumberFormatException _) {
      // Said below, together with the numbers that are out of range.
    }
    throw ApiException.invalid(name, name + " is a whole number from " + min + " to " + max);
  }

  /// A request header.
  Optional<String> header(CharSequence name) {
    return Optional.ofNullable(request.headers().get(name));
  }

  /// The whole body, which the route's limit bounds.
  byte[] jsonBody() {
    MediaType type = request.contentType();
    if (type != null && !type.is(MediaType.JSON)) {
      throw new ApiException(
          com.linecorp.armeria.common.HttpStatus.UNSUPPORTED_MEDIA_TYPE,
          ApiException.Type.INVALID_REQUEST,
          "unsupported-media-type",
          Optional.of("content-type"),
          "the body is application/json here, not " + type.nameWithoutParameters());
    }
    AggregatedHttpRequest whole = request.aggregate().join();
    return whole.content().array();
  }

  /// The body as it comes in, without holding it. The sender may take as long as it likes in all,
  /// but not stop for longer than [#STALL_MAX].
  InputStream bodyStream() {
    InputStream in =
        request.toInputStream(part -> part instanceof HttpData data ? data : HttpData.empty());
    return new FilterInputStream(in) {
      @Override
      public int read() throws IOException {
        keepAlive();
        return super.read();
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        keepAlive();
        return super.read(into, offset, length);
      }
    };
  }

  /// Gives this request another [#STALL_MAX].
  void keepAlive() {
    ctx.setRequestTimeout(TimeoutMode.SET_FROM_NOW, STALL_MAX);
  }

  ServiceRequestContext context() {
    return ctx;
  }
}
