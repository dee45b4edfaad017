package io.rigmesh.node.jobs;

import java.util.Locale;

/// Which side of a job this node is on.
public enum JobRole {
  /// It computes the job and is paid.
  PROVIDER,
  /// It asks for the job and pays.
  REQUESTER;

  /// The name in JSON and in the store.
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// The role of that name.
  ///
  /// @throws IllegalArgumentException if there is none
  public static JobRole of(String id) {
    for (JobRole role : values()) {
      if (role.id().equals(id)) {
        return role;
      }
    }
    throw new IllegalArgumentException("role is provider or requester, not '" + id + "'");
  }
}
