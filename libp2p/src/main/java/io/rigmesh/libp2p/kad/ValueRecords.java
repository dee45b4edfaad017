package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Values that others have put here, each judged by its namespace's [RecordValidator]; without one,
/// a namespace is refused. Bounded: the value longest unrenewed makes room. Single-threaded.
final class ValueRecords {
  private static final int VALUES_MAX = 1_024;

  private record Entry(ByteString value, long putAt) {}

  private final Map<String, RecordValidator> validators;
  private final long validityMillis;
  private final LinkedHashMap<ByteString, Entry> values = new LinkedHashMap<>();

  ValueRecords(Map<String, RecordValidator> validators, long validityMillis) {
    this.validators = validators;
    this.validityMillis = validityMillis;
  }

  /// @throws Libp2pException when the key's namespace is not kept here
  Optional<ByteString> get(String protocol, ByteString key, long now) {
    validator(protocol, key);
    Entry entry = values.get(key);
    return entry == null || now - entry.putAt >= validityMillis
        ? Optional.empty()
        : Optional.of(entry.value);
  }

  /// Takes a value, unless a better one is held.
  ///
  /// @throws Libp2pException when the key's namespace is not kept here, or a better value is held
  /// @throws PeerMisbehaviourException when the value is not valid
  void put(String protocol, ByteString key, ByteString value, long now) {
    RecordValidator validator = validator(protocol, key);
    if (!validator.isValid(key.toByteArray(), value.toByteArray())) {
      throw new PeerMisbehaviourException(
          protocol + ": a value is not valid under its key " + shown(key));
    }
    Optional<ByteString> held = get(protocol, key, now);
    if (held.isPresent() && best(validator, key, held.get(), value).equals(held.get())) {
      if (!held.get().equals(value)) {
        throw new Libp2pException(protocol + ": a better value is held for " + shown(key));
      }
    }
    values.remove(key);
    values.put(key, new Entry(value, now));
    if (values.size() > VALUES_MAX) {
      values.pollFirstEntry();
    }
  }

  /// The better of two valid values.
  static ByteString best(
      RecordValidator validator, ByteString key, ByteString first, ByteString second) {
    int best =
        validator.best(key.toByteArray(), List.of(first.toByteArray(), second.toByteArray()));
    return best == 0 ? first : second;
  }

  /// The validator of a key's namespace.
  ///
  /// @throws Libp2pException when there is none
  RecordValidator validator(String protocol, ByteString key) {
    String text = key.toString(StandardCharsets.ISO_8859_1);
    int end = text.indexOf('/', 1);
    RecordValidator validator =
        text.startsWith("/") && end > 0 ? validators.get(text.substring(1, end)) : null;
    if (validator == null) {
      throw new Libp2pException(
          protocol
              + ": values under "
              + shown(key)
              + " are not kept here; their namespace needs a validator in the configuration");
    }
    return validator;
  }

  private static String shown(ByteString key) {
    String text = key.toString(StandardCharsets.ISO_8859_1);
    StringBuilder out = new StringBuilder();
    text.chars().limit(48).forEach(c -> out.append(c > 0x20 && c < 0x7f ? (char) c : '?'));
    return out.toString();
  }
}
