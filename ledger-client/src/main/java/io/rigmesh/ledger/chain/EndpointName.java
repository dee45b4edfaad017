package io.rigmesh.ledger.chain;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What may be said of an endpoint's address. Providers put keys into the path, the query or before
/// the host, so only scheme, host and port are ever shown.
final class EndpointName {
  /// What is shorter is a word such as `v3`, and hiding it would make sentences unreadable.
  private static final int SECRET_LENGTH_MIN = 8;

  private EndpointName() {}

  /// Scheme, host and port.
  static String of(URI address) {
    return address.getScheme()
        + "://"
        + address.getHost()
        + (address.getPort() < 0 ? "" : ":" + address.getPort());
  }

  /// A text from elsewhere, such as an endpoint's error, without what of the address may be a key.
  static String withoutSecrets(URI address, String text) {
    String shown = text;
    for (String part : parts(address)) {
      if (part.length() >= SECRET_LENGTH_MIN) {
        shown = shown.replace(part, "...");
      }
    }
    return shown;
  }

  private static List<String> parts(URI address) {
    List<String> parts = new ArrayList<>();
    add(parts, address.getRawUserInfo(), ":");
    add(parts, address.getRawPath(), "/");
    add(parts, address.getRawQuery(), "[&=]");
    return parts;
  }

  private static void add(List<String> parts, @Nullable String text, String separator) {
    if (text != null) {
      parts.addAll(List.of(text.split(separator, -1)));
    }
  }
}
