package io.rigmesh.worker.process;

import com.google.protobuf.ByteString;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.worker.task.FailureCode;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.TokenLogprobs;
import io.rigmesh.worker.verify.Verdict;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/// Events and verdicts as messages of worker.proto, and back.
final class WireEvents {
  private WireEvents() {}

  static io.rigmesh.worker.wire.RunEvent write(RunEvent event) {
    var wire = io.rigmesh.worker.wire.RunEvent.newBuilder();
    switch (event) {
      case RunEvent.Started(var totalSteps, var model, var resumedSteps, var promptTokens) ->
          wire.getStartedBuilder()
              .setTotalSteps(totalSteps)
              .setModelRoot(bytes(model))
              .setResumedSteps(resumedSteps)
              .setPromptTokens(promptTokens);
      case RunEvent.Progress progress -> wire.setProgress(write(progress));
      case RunEvent.Token(var position, var id, var text, var link, var logprobs, var finish) -> {
        var token =
            wire.getTokenBuilder()
                .setPosition(position)
                .setId(id)
                .setText(text)
                .setLink(bytes(link));
        logprobs.ifPresent(l -> token.setLogprobs(write(l)));
        finish.ifPresent(token::setFinish);
      }
      case RunEvent.Milestone(var number, var meter, var evidence, var model, var folder) ->
          wire.getMilestoneBuilder()
              .setNumber(number)
              .setTokensIn(meter.tokensIn())
              .setSteps(meter.steps())
              .setEvidenceJson(json(evidence))
              .setModelRoot(bytes(model))
              .setFolder(folder.toAbsolutePath().toString());
      case RunEvent.Done(var meter, var evidence, var model, var output, var trained) -> {
        var done =
            wire.getDoneBuilder()
                .setTokensIn(meter.tokensIn())
                .setTokensOut(meter.tokensOut())
                .setSteps(meter.steps())
                .setEvidenceJson(json(evidence))
                .setModelRoot(bytes(model))
                .setOutputRoot(bytes(output));
        trained.ifPresent(root -> done.setTrainedModelRoot(bytes(root)));
      }
      case RunEvent.Failed(var code, var message) ->
          wire.getFailedBuilder().setCode(write(code)).setMessage(message);
    }
    return wire.build();
  }

  private static ByteString json(Evidence evidence) {
    return ByteString.copyFrom(ProtocolJson.write(evidence).toString(), StandardCharsets.UTF_8);
  }

  private static Evidence evidence(ByteString json) {
    return ProtocolJson.readEvidence(ProtocolJson.parse(json.toByteArray(), "a worker's evidence"));
  }

  private static io.rigmesh.worker.wire.Logprobs write(TokenLogprobs logprobs) {
    var wire =
        io.rigmesh.worker.wire.Logprobs.newBuilder()
            .setText(logprobs.text())
            .setLogprob(logprobs.logprob());
    logprobs
        .likeliest()
        .forEach(candidate ->
            wire.addLikeliestBuilder()
                .setId(candidate.id())
                .setText(candidate.text())
                .setLogprob(candidate.logprob()));
    return wire.build();
  }

  private static TokenLogprobs read(io.rigmesh.worker.wire.Logprobs wire) {
    return new TokenLogprobs(
        wire.getText(),
        wire.getLogprob(),
        wire.getLikeliestList().stream()
            .map(c -> new TokenLogprobs.Candidate(c.getId(), c.getText(), c.getLogprob()))
            .toList());
  }

  static io.rigmesh.worker.wire.Progress write(RunEvent.Progress progress) {
    var wire =
        io.rigmesh.worker.wire.Progress.newBuilder()
            .setStep(progress.step())
            .setTotalSteps(progress.totalSteps())
            .setTokensPerSecond(progress.tokensPerSecond())
            .setTokensIn(progress.tokensIn());
    progress.loss().ifPresent(wire::setLoss);
    return wire.build();
  }

  static io.rigmesh.worker.wire.Verdict write(Verdict verdict) {
    var wire = io.rigmesh.worker.wire.Verdict.newBuilder().setSentence(verdict.sentence());
    switch (verdict) {
      case Verdict.Exact(var checked, var total, var _) ->
          wire.setKind(io.rigmesh.worker.wire.Verdict.Kind.KIND_EXACT)
              .setStepsChecked(checked)
              .setStepsTotal(total);
      case Verdict.Differs(var step, var _) ->
          wire.setKind(io.rigmesh.worker.wire.Verdict.Kind.KIND_DIFFERS).setFirstStep(step);
      case Verdict.Invalid _ -> wire.setKind(io.rigmesh.worker.wire.Verdict.Kind.KIND_INVALID);
    }
    return wire.build();
  }

  /// Reads an event.
  ///
  /// @throws MalformedException if a worker of this version would not send it
  static RunEvent read(io.rigmesh.worker.wire.RunEvent wire) {
    return switch (wire.getEventCase()) {
      case STARTED -> {
        var started = wire.getStarted();
        yield new RunEvent.Started(
            started.getTotalSteps(),
            hash(started.getModelRoot()),
            started.getResumedSteps(),
            started.getPromptTokens());
      }
      case PROGRESS -> read(wire.getProgress());
      case TOKEN -> {
        var token = wire.getToken();
        yield new RunEvent.Token(
            token.getPosition(),
            token.getId(),
            token.getText(),
            hash(token.getLink()),
            token.hasLogprobs() ? Optional.of(read(token.getLogprobs())) : Optional.empty(),
            Optional.of(token.getFinish()).filter(reason -> !reason.isEmpty()));
      }
      case MILESTONE -> {
        var milestone = wire.getMilestone();
        yield new RunEvent.Milestone(
            milestone.getNumber(),
            new Meter(milestone.getTokensIn(), 0, milestone.getSteps()),
            evidence(milestone.getEvidenceJson()),
            hash(milestone.getModelRoot()),
            Path.of(milestone.getFolder()));
      }
      case DONE -> {
        var done = wire.getDone();
        yield new RunEvent.Done(
            new Meter(done.getTokensIn(), done.getTokensOut(), done.getSteps()),
            evidence(done.getEvidenceJson()),
            hash(done.getModelRoot()),
            hash(done.getOutputRoot()),
            done.getTrainedModelRoot().isEmpty()
                ? Optional.empty()
                : Optional.of(hash(done.getTrainedModelRoot())));
      }
      case FAILED ->
          new RunEvent.Failed(read(wire.getFailed().getCode()), wire.getFailed().getMessage());
      case EVENT_NOT_SET -> throw new MalformedException("a worker sent an empty event");
    };
  }

  static RunEvent.Progress read(io.rigmesh.worker.wire.Progress wire) {
    return new RunEvent.Progress(
        wire.getStep(),
        wire.getTotalSteps(),
        wire.hasLoss() ? Optional.of(wire.getLoss()) : Optional.empty(),
        wire.getTokensPerSecond(),
        wire.getTokensIn());
  }

  /// Reads a verdict.
  ///
  /// @throws MalformedException if a worker of this version would not send it
  static Verdict read(io.rigmesh.worker.wire.Verdict wire) {
    return switch (wire.getKind()) {
      case KIND_EXACT ->
          new Verdict.Exact(wire.getStepsChecked(), wire.getStepsTotal(), wire.getSentence());
      case KIND_DIFFERS -> new Verdict.Differs(wire.getFirstStep(), wire.getSentence());
      case KIND_INVALID -> new Verdict.Invalid(wire.getSentence());
      case KIND_UNSPECIFIED, UNRECOGNIZED ->
          throw new MalformedException("a worker sent a verdict of an unknown kind");
    };
  }

  static ByteString bytes(Hash hash) {
    return ByteString.copyFrom(hash.bytes());
  }

  static Hash hash(ByteString bytes) {
    return Hash.of(bytes.toByteArray());
  }

  private static io.rigmesh.worker.wire.FailureCode write(FailureCode code) {
    return switch (code) {
      case CANCELLED -> io.rigmesh.worker.wire.FailureCode.FAILURE_CODE_CANCELLED;
      case INVALID_INPUT -> io.rigmesh.worker.wire.FailureCode.FAILURE_CODE_INVALID_INPUT;
      case OUT_OF_MEMORY -> io.rigmesh.worker.wire.FailureCode.FAILURE_CODE_OUT_OF_MEMORY;
      case INTERNAL -> io.rigmesh.worker.wire.FailureCode.FAILURE_CODE_INTERNAL;
    };
  }

  private static FailureCode read(io.rigmesh.worker.wire.FailureCode code) {
    return switch (code) {
      case FAILURE_CODE_CANCELLED -> FailureCode.CANCELLED;
      case FAILURE_CODE_INVALID_INPUT -> FailureCode.INVALID_INPUT;
      case FAILURE_CODE_OUT_OF_MEMORY -> FailureCode.OUT_OF_MEMORY;
      case FAILURE_CODE_INTERNAL, FAILURE_CODE_UNSPECIFIED, UNRECOGNIZED -> FailureCode.INTERNAL;
    };
  }
}
