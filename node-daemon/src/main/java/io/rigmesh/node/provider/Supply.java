package io.rigmesh.node.provider;

import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.RefusalCode;
import java.util.OptionalLong;

/// Where the files of a job come from that are not here. Every method blocks.
public interface Supply {
  /// How long the input is said to be, so that a job can be judged before its input is fetched.
  OptionalLong inputBytes();

  /// Fetches the manifest of the job's model and the file that says how large the model is, and
  /// nothing else.
  ///
  /// @throws RefusedException if they are not to be had
  void shape(Job job);

  /// Fetches the job's input.
  ///
  /// @throws RefusedException if it is not to be had
  void input(Job job, long bytesMax);

  /// Fetches every file of the job's model.
  ///
  /// @throws RefusedException if one is not to be had
  void model(Job job, FolderManifest manifest);

  /// Nothing comes: what a job needs must have been handed in before.
  Supply NONE =
      new Supply() {
        @Override
        public OptionalLong inputBytes() {
          return OptionalLong.empty();
        }

        @Override
        public void shape(Job job) {
          throw new RefusedException(
              RefusalCode.UNKNOWN_MODEL, missing("the model " + job.model()));
        }

        @Override
        public void input(Job job, long bytesMax) {
          throw new RefusedException(
              RefusalCode.UNKNOWN_INPUT, missing("the input " + job.input()));
        }

        @Override
        public void model(Job job, FolderManifest manifest) {
          throw new RefusedException(
              RefusalCode.UNKNOWN_MODEL, missing("the model " + job.model()));
        }

        private static String missing(String what) {
          return what + " or one of its files is not here; upload it first";
        }
      };
}
