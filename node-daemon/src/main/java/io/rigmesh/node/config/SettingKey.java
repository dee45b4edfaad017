package io.rigmesh.node.config;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.node.config.EffectiveConfig.Source;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.TokenAmount;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// One key of the configuration: what it is called, what type it has, and how its text is read.
record SettingKey(String key, Type type, Setting setting) {
  /// Every key below a record of settings, in order.
  static Map<String, SettingKey> of(Class<? extends Record> root) {
    Map<String, SettingKey> keys = new LinkedHashMap<>();
    collect(root, "", keys);
    return keys;
  }

  private static void collect(Class<?> record, String prefix, Map<String, SettingKey> keys) {
    for (RecordComponent c : record.getRecordComponents()) {
      String key = prefix + kebab(c.getName());
      Setting setting = c.getAnnotation(Setting.class);
      if (setting != null) {
        keys.put(key, new SettingKey(key, c.getGenericType(), setting));
      } else if (c.getType().isRecord()) {
        collect(c.getType(), key + ".", keys);
      }
    }
  }

  /// Puts a record of settings together from its values by key. A component that is neither a
  /// setting nor a record is the home.
  static <T extends Record> T build(Class<T> record, Path home, Map<String, Object> values) {
    return build(record, "", home, values);
  }

  private static <T> T build(
      Class<T> record, String prefix, Path home, Map<String, Object> values) {
    RecordComponent[] components = record.getRecordComponents();
    Object[] arguments = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      RecordComponent c = components[i];
      String key = prefix + kebab(c.getName());
      if (c.isAnnotationPresent(Setting.class)) {
        arguments[i] = values.get(key);
      } else if (c.getType().isRecord()) {
        arguments[i] = build(c.getType(), key + ".", home, values);
      } else {
        arguments[i] = home;
      }
    }
    try {
      return record
          .getDeclaredConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new))
          .newInstance(arguments);
    } catch (InvocationTargetException e) {
      throw new ConfigException(prefix + ": " + e.getTargetException().getMessage(), e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("every record has its canonical constructor", e);
    }
  }

  String defaultText() {
    return setting.value();
  }

  String help() {
    return setting.help();
  }

  boolean secret() {
    return setting.secret();
  }

  /// Reads a text as this key's type.
  Object parse(String text, Source source, Path home) {
    try {
      return inRange(value(type, text.strip(), home));
    } catch (IllegalArgumentException | MalformedException e) {
      String shown = secret() ? "its value" : "'" + text + "'";
      throw new ConfigException(
          source + ": the setting " + key + " cannot be " + shown + ": " + e.getMessage() + ".", e);
    }
  }

  private Object inRange(Object value) {
    if (value instanceof Number number
        && (number.longValue() < setting.min() || number.longValue() > setting.max())) {
      throw new IllegalArgumentException(
          "it lies between " + setting.min() + " and " + setting.max());
    }
    return value;
  }

  private static Object value(Type type, String text, Path home) {
    if (type instanceof ParameterizedType generic) {
      Type element = generic.getActualTypeArguments()[0];
      if (generic.getRawType() == Optional.class) {
        return text.isEmpty() ? Optional.empty() : Optional.of(value(element, text, home));
      }
      if (generic.getRawType() == List.class) {
        return Arrays.stream(text.split(","))
            .map(String::strip)
            .filter(t -> !t.isEmpty())
            .map(t -> value(element, t, home))
            .toList();
      }
    }
    if (type instanceof Class<?> c) {
      return scalar(c, text, home);
    }
    throw new IllegalStateException("no setting may have the type " + type);
  }

  private static Object scalar(Class<?> type, String text, Path home) {
    if (type == String.class) {
      return text;
    }
    if (type == boolean.class) {
      if (!text.equals("true") && !text.equals("false")) {
        throw new IllegalArgumentException("it is true or false");
      }
      return text.equals("true");
    }
    if (type == int.class || type == long.class || type == Long.class) {
      return number(type, text);
    }
    if (type == TokenAmount.class) {
      return TokenAmount.parse(text);
    }
    if (type == Address.class) {
      return Address.fromHex(text);
    }
    if (type == Multiaddr.class) {
      return Multiaddr.of(text);
    }
    if (type == PeerId.class) {
      return PeerId.of(text);
    }
    if (type == Path.class) {
      return path(text, home);
    }
    if (type.isEnum()) {
      for (Object constant : type.getEnumConstants()) {
        if (constant.toString().toLowerCase(Locale.ROOT).equals(text)) {
          return constant;
        }
      }
      throw new IllegalArgumentException(
          "it is one of "
              + Arrays.stream(type.getEnumConstants())
                  .map(v -> v.toString().toLowerCase(Locale.ROOT))
                  .collect(Collectors.joining(", ")));
    }
    throw new IllegalStateException("no setting may have the type " + type);
  }

  private static Object number(Class<?> type, String text) {
    long value;
    try {
      value = Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("it is a whole number", e);
    }
    if (value < 0 || (type == int.class && value > Integer.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "it lies between 0 and " + (type == int.class ? Integer.MAX_VALUE : Long.MAX_VALUE));
    }
    if (type == int.class) {
      return (int) value;
    }
    return value;
  }

  private static Path path(String text, Path home) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("it is the path of a file");
    }
    try {
      Path path = Path.of(text);
      return home.resolve(path).normalize();
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("it is no path: " + e.getReason(), e);
    }
  }

  /// A hint at the key that was meant, or nothing.
  static String nearest(String key, Collection<String> keys) {
    return keys.stream()
        .min(Comparator.comparingInt(k -> distance(k, key)))
        .filter(k -> distance(k, key) <= 1 + key.length() / 4)
        .map(k -> "; did you mean " + k + "?")
        .map(h -> h.substring(0, h.length() - 1))
        .orElse("; `rigmesh config show` lists them all");
  }

  /// Levenshtein's distance.
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    Arrays.setAll(row, i -> i);
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }

  private static String kebab(String name) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (Character.isUpperCase(c)) {
        out.append('-');
      }
      out.append(Character.toLowerCase(c));
    }
    return out.toString();
  }
}
