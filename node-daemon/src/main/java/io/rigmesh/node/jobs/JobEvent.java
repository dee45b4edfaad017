package io.rigmesh.node.jobs;

import java.util.Locale;

/// Something that happened to a job.
///
/// @param sequence counts this job's events upwards from 1, without gaps
/// @param atMillis Unix time in milliseconds
/// @param type what kind of event
/// @param data a JSON object; its fields are on [JobJson]
public record JobEvent(long sequence, long atMillis, Type type, String data) {
  /// The kinds of events.
  public enum Type {
    /// The job entered a state: `{"state", "code"?, "message"?}`.
    STATE,
    /// It is so far: `{"step", "total", "loss"?, "tokensPerSecond"}`.
    PROGRESS,
    /// A token was made: `{"position", "id", "text", "link", "logprobs"?, "finish"?}`.
    TOKEN,
    /// Something worth telling a person: `{"message"}`.
    NOTE;

    /// The name in JSON and as an SSE event.
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }

    /// The type of that name.
    ///
    /// @throws IllegalArgumentException if there is none
    public static Type of(String id) {
      return valueOf(id.toUpperCase(Locale.ROOT));
    }
  }
}
