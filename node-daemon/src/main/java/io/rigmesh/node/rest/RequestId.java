package io.rigmesh.node.rest;

import com.linecorp.armeria.server.ServiceRequestContext;
import io.netty.util.AsciiString;
import io.netty.util.AttributeKey;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// The name of one request in answers, errors and logs. A client may bring its own.
final class RequestId {
  /// The header that carries it, both ways.
  static final AsciiString HEADER = AsciiString.cached("x-request-id");

  private static final AttributeKey<String> KEY = AttributeKey.valueOf("rigmesh.requestId");
  private static final Pattern ACCEPTED = Pattern.compile("[A-Za-z0-9._-]{1,64}");
  private static final SecureRandom RANDOM = new SecureRandom();

  private RequestId() {}

  /// The request's name, the same however often it is asked for.
  static String of(ServiceRequestContext ctx) {
    String known = ctx.attr(KEY);
    if (known != null) {
      return known;
    }
    String brought = ctx.request().headers().get(HEADER);
    String id = brought != null && ACCEPTED.matcher(brought).matches() ? brought : fresh();
    ctx.setAttr(KEY, id);
    return id;
  }

  /// A name for a request of which nothing is known.
  static String fresh() {
    byte[] bytes = new byte[12];
    RANDOM.nextBytes(bytes);
    return "req-" + HexFormat.of().formatHex(bytes);
  }
}
