package io.rigmesh.node.network.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobProgress;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.wire.JobWire;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;

/// The messages of `/rigmesh/job/1.0.0`: their limits, and what they mean in this node's words
/// (docs/protocol.md).
public final class JobProtocol {
  /// The protocol's name.
  public static final ProtocolId ID = new ProtocolId("/rigmesh/job/1.0.0");

  /// How long a provider may say nothing, heartbeats counted.
  static final Duration SILENCE_MAX = Duration.ofSeconds(60);

  /// How often a provider says that it is there.
  static final Duration ALIVE_EVERY = Duration.ofSeconds(5);

  static final int OPEN_BYTES_MAX = 16 << 10;
  static final int REPLY_BYTES_MAX = 512 << 10;
  static final int RECEIPT_PART_BYTES = 256 << 10;

  /// The evidence of a million training steps fits.
  static final int RECEIPT_BYTES_MAX = 256 << 20;

  private static final int FIELDS_MAX = 64;
  private static final ProtobufBounds BOUNDS = ProtobufBounds.fields(FIELDS_MAX);

  private JobProtocol() {}

  static JobWire.Open open(byte[] bytes) {
    try {
      return JobWire.Open.parseFrom(BOUNDS.check(ID.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw malformed("the first message", e);
    }
  }

  static JobWire.Reply reply(byte[] bytes) {
    try {
      return JobWire.Reply.parseFrom(BOUNDS.check(ID.name(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw malformed("a reply", e);
    }
  }

  static PeerMisbehaviourException malformed(String what, Exception e) {
    return new PeerMisbehaviourException(ID + ": " + what + " is malformed: " + e.getMessage(), e);
  }

  static Hash hash(ByteString bytes) {
    return Hash.of(bytes.toByteArray());
  }

  // What this node says.

  static JobWire.State write(JobState state) {
    ObjectNode json = JobJson.write(state);
    return JobWire.State.newBuilder()
        .setName(json.path("state").asText())
        .setCode(json.path("code").asText(""))
        .setMessage(json.path("message").asText(""))
        .build();
  }

  static JobWire.Reply accepted(JobState state, boolean known, Optional<Tariff> tariff) {
    JobWire.Accepted.Builder accepted =
        JobWire.Accepted.newBuilder().setState(write(state)).setKnown(known);
    tariff.map(MoneyMessages::write).ifPresent(accepted::setTariff);
    return JobWire.Reply.newBuilder().setAccepted(accepted).build();
  }

  /// The answer to a job that is taken once its money is locked.
  static JobWire.Reply reserved(Signature acceptance) {
    return JobWire.Reply.newBuilder()
        .setAccepted(
            JobWire.Accepted.newBuilder()
                .setState(write(new JobState.Signed()))
                .setAcceptance(ByteString.copyFrom(acceptance.bytes())))
        .build();
  }

  static JobWire.Reply refused(Refusal refusal) {
    return JobWire.Reply.newBuilder()
        .setRefused(
            JobWire.Refused.newBuilder()
                .setCode(refusal.code().id())
                .setSentence(refusal.sentence()))
        .build();
  }

  static JobWire.Reply event(JobEvent event) {
    JsonNode json =
        ProtocolJson.parse(event.data().getBytes(StandardCharsets.UTF_8), "an event of this node");
    JobWire.Event.Builder wire =
        JobWire.Event.newBuilder().setSequence(event.sequence()).setAtMillis(event.atMillis());
    switch (event.type()) {
      case STATE -> wire.setState(write(JobJson.readState(json)));
      case PROGRESS -> {
        JobProgress progress = JobJson.readProgress(json);
        JobWire.Progress.Builder builder =
            JobWire.Progress.newBuilder()
                .setStep(progress.step())
                .setTotal(progress.total())
                .setTokensPerSecond(progress.tokensPerSecond());
        progress.loss().ifPresent(builder::setLoss);
        wire.setProgress(builder);
      }
      case TOKEN -> wire.setToken(TokenEvents.write(json));
      case NOTE ->
          wire.setNote(JobWire.Note.newBuilder().setMessage(json.path("message").asText()));
    }
    return JobWire.Reply.newBuilder().setEvent(wire).build();
  }

  // What the other side says.

  static JobState state(JobWire.State state) {
    try {
      return JobJson.readState(state.getName(), state.getCode(), state.getMessage());
    } catch (MalformedException e) {
      throw malformed("a state", e);
    }
  }

  static Refusal refusal(JobWire.Refused refused) {
    try {
      return new Refusal(RefusalCode.of(refused.getCode()), refused.getSentence());
    } catch (MalformedException e) {
      // A code of a newer version: what it means to a program is not known, the sentence is.
      return new Refusal(
          RefusalCode.UNSUPPORTED, refused.getSentence() + " (" + refused.getCode() + ")");
    }
  }

  static JobEvent event(JobWire.Event event) {
    if (event.getSequence() <= 0) {
      throw new PeerMisbehaviourException(ID + ": an event has no sequence number");
    }
    try {
      return switch (event.getWhatCase()) {
        case STATE -> of(event, JobEvent.Type.STATE, JobJson.write(state(event.getState())));
        case PROGRESS -> {
          JobWire.Progress p = event.getProgress();
          boolean plain = !p.hasLoss() || Double.isFinite(p.getLoss());
          if (p.getStep() < 0
              || p.getTotal() < 0
              || !plain
              || !Double.isFinite(p.getTokensPerSecond())) {
            throw new MalformedException("progress is counted in finite numbers");
          }
          OptionalDouble loss =
              p.hasLoss() ? OptionalDouble.of(p.getLoss()) : OptionalDouble.empty();
          yield of(
              event,
              JobEvent.Type.PROGRESS,
              JobJson.write(
                  new JobProgress(p.getStep(), p.getTotal(), loss, p.getTokensPerSecond())));
        }
        case TOKEN -> of(event, JobEvent.Type.TOKEN, TokenEvents.read(event.getToken()));
        case NOTE ->
            of(
                event,
                JobEvent.Type.NOTE,
                JsonNodeFactory.instance.objectNode().put("message", event.getNote().getMessage()));
        case WHAT_NOT_SET ->
            of(
                event,
                JobEvent.Type.NOTE,
                JsonNodeFactory.instance
                    .objectNode()
                    .put("message", "the provider said something that this version does not know"));
      };
    } catch (MalformedException e) {
      throw malformed("an event", e);
    }
  }

  private static JobEvent of(JobWire.Event event, JobEvent.Type type, ObjectNode data) {
    return new JobEvent(event.getSequence(), event.getAtMillis(), type, data.toString());
  }
}
