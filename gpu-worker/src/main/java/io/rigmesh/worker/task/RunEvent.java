package io.rigmesh.worker.task;

import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Meter;
import java.nio.file.Path;
import java.util.Optional;

/// What a running job says: [Started] once, then [Progress], [Token] and [Milestone], then one
/// [End].
public sealed interface RunEvent {

  /// The job, its model and its input were read and fit together.
  ///
  /// @param totalSteps optimiser steps, sentences, or the most tokens that may come
  /// @param model what the receipt will name as its model: for a new model, the root of its initial
  ///   folder
  /// @param resumedSteps steps that an earlier process had finished
  /// @param promptTokens tokens of the prompt, in a generation only
  record Started(long totalSteps, Hash model, long resumedSteps, long promptTokens)
      implements RunEvent {
    /// Of a job without a prompt.
    public Started(long totalSteps, Hash model, long resumedSteps) {
      this(totalSteps, model, resumedSteps, 0);
    }
  }

  /// A step is done.
  ///
  /// @param step how many are done
  /// @param totalSteps of how many
  /// @param loss the step's loss, in training only
  /// @param tokensPerSecond since this process started on the job
  /// @param tokensIn tokens of the input that were read so far, in embedding only
  record Progress(
      long step, long totalSteps, Optional<Float> loss, double tokensPerSecond, long tokensIn)
      implements RunEvent {
    /// Of a job whose input is read as a whole.
    public Progress(long step, long totalSteps, Optional<Float> loss, double tokensPerSecond) {
      this(step, totalSteps, loss, tokensPerSecond, 0);
    }
  }

  /// A token was generated. A run that goes on after a crash sends all tokens again from the first.
  ///
  /// @param position its place in the sequence, the prompt counted
  /// @param id the token
  /// @param text what it adds to the text: whole characters only, so empty while one is still open
  /// @param link the commitment chain's link of this token
  /// @param logprobs what the model thought of it, where the job asks for that
  /// @param finish of the last token, why the text ends, as `output.json` names it
  record Token(
      long position,
      int id,
      String text,
      Hash link,
      Optional<TokenLogprobs> logprobs,
      Optional<String> finish)
      implements RunEvent {}

  /// A training has reached a milestone that is not its end, which is what [Done] is for. The job
  /// goes on meanwhile. A run that goes on after a crash says all that were reached before it
  /// again.
  ///
  /// @param number which one, from 1
  /// @param meter what was used up to it
  /// @param evidence the links and claims up to it
  /// @param model what the receipt names as its model
  /// @param folder what there would be to deliver if the job ended here; complete, and left as it
  ///   is
  record Milestone(int number, Meter meter, Evidence evidence, Hash model, Path folder)
      implements RunEvent {}

  /// The last event.
  sealed interface End extends RunEvent {}

  /// The job is done and its output folder complete and on disk.
  ///
  /// @param meter what was used
  /// @param evidence the links and claims that go into the receipt file
  /// @param model what the receipt names as its model
  /// @param output the root of the output folder
  /// @param trainedModel in training, the root of the folder `model` in the output, which later
  ///   jobs name
  record Done(Meter meter, Evidence evidence, Hash model, Hash output, Optional<Hash> trainedModel)
      implements End {}

  /// The job ended without a result.
  ///
  /// @param code what kind of failure
  /// @param message why, and what a person can do
  record Failed(FailureCode code, String message) implements End {}
}
