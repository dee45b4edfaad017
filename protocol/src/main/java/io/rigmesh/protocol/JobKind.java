package io.rigmesh.protocol;

import java.util.Locale;

/// What a job asks for.
public enum JobKind {
  /// Train a language model on a text.
  TRAIN,
  /// Continue a prompt.
  GENERATE,
  /// Turn sentences into vectors.
  EMBED;

  /// The name in jobs.
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// The kind of that name.
  ///
  /// @throws MalformedException if there is none
  public static JobKind of(String id) {
    for (JobKind kind : values()) {
      if (kind.id().equals(id)) {
        return kind;
      }
    }
    throw new MalformedException("kind is one of train, generate, embed, not '" + id + "'");
  }
}
