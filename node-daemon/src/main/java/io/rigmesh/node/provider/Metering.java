package io.rigmesh.node.provider;

import io.rigmesh.protocol.Meter;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongConsumer;

/// How one run of a job is charged, and how far it may go before more is paid. Safe for use by
/// several threads.
interface Metering {
  /// A run that its money is bound for as a whole.
  Metering WHOLE =
      new Metering() {
        @Override
        public boolean isLimited() {
          return false;
        }

        @Override
        public void begin(long promptTokens, LongConsumer allow) {}

        @Override
        public void charge(Meter meter) {}

        @Override
        public void finished() {}

        @Override
        public Optional<Duration> waits() {
          return Optional.empty();
        }

        @Override
        public void over() {}
      };

  /// Whether the work may go only as far as it is allowed.
  boolean isLimited();

  /// The worker has the job.
  ///
  /// @param promptTokens tokens of its prompt, zero where it has none
  /// @param allow hears how many tokens the job may use, counted from its start; does not block
  void begin(long promptTokens, LongConsumer allow);

  /// The work has come so far.
  void charge(Meter meter);

  /// What was charged last is all that the job costs.
  void finished();

  /// For how long it has been waiting for money, if it does: it has used all that it may.
  Optional<Duration> waits();

  /// The run has ended, whatever its end was.
  void over();
}
