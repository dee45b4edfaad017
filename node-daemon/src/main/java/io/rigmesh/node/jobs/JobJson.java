package io.rigmesh.node.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/// The JSON of jobs as REST carries it. Hashes, addresses and amounts are texts as in
/// [ProtocolJson]; times are ISO 8601 texts; fields without a value are left out.
public final class JobJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private JobJson() {}

  /// A job's view: `{"id", "role", "job", "state", "code"?, "message"?, "progress"?, "createdAt",
  /// "updatedAt", "provider"?, "providerPeer"?, "price"?, "meter"?, "output"?, "outputModel"?,
  /// "channel"?, "paid", "milestones"?, "transactions"}`.
  public static ObjectNode write(JobView view) {
    ObjectNode node = NODES.objectNode();
    node.put("id", view.id().hex()).put("role", view.role().id());
    node.set("job", ProtocolJson.write(view.signed()));
    node.setAll(write(view.state()));
    view.progress().ifPresent(p -> node.set("progress", write(p)));
    node.put("createdAt", view.createdAt().toString());
    node.put("updatedAt", view.updatedAt().toString());
    view.provider().ifPresent(p -> node.put("provider", p.hex()));
    view.providerPeer().ifPresent(p -> node.put("providerPeer", p.toString()));
    view.price().ifPresent(p -> node.put("price", p.toString()));
    view.meter()
        .ifPresent(m ->
            node.putObject("meter")
                .put("tokensIn", Long.toString(m.tokensIn()))
                .put("tokensOut", Long.toString(m.tokensOut()))
                .put("steps", Long.toString(m.steps())));
    view.output().ifPresent(h -> node.put("output", h.hex()));
    view.outputModel().ifPresent(h -> node.put("outputModel", h.hex()));
    view.channel().ifPresent(h -> node.put("channel", h.hex()));
    node.put("paid", view.paid().toString());
    if (!view.milestones().isEmpty()) {
      var milestones = node.putArray("milestones");
      view.milestones().forEach(m -> milestones.add(write(m)));
    }
    var transactions = node.putArray("transactions");
    view.transactions().forEach(t -> transactions.add(write(t)));
    return node;
  }

  /// A milestone: `{"number", "steps", "proof", "amountDue", "state"}`.
  public static ObjectNode write(MilestoneView milestone) {
    return NODES
        .objectNode()
        .put("number", milestone.number())
        .put("steps", milestone.steps())
        .put("proof", milestone.proof().hex())
        .put("amountDue", milestone.amountDue().toString())
        .put("state", milestone.state().id());
  }

  /// A state: `{"state", "code"?, "message"?}`.
  public static ObjectNode write(JobState state) {
    ObjectNode node = NODES.objectNode().put("state", state.id());
    switch (state) {
      case JobState.Refused(Refusal refusal) ->
          node.put("code", refusal.code().id()).put("message", refusal.sentence());
      case JobState.Failed(String reason) -> node.put("message", reason);
      case JobState.Disputed(String reason) -> node.put("message", reason);
      case JobState.Draft _,
          JobState.Signed _,
          JobState.Matched _,
          JobState.Funded _,
          JobState.Running _,
          JobState.Completed _,
          JobState.Settled _,
          JobState.Cancelled _,
          JobState.Expired _ -> {}
    }
    return node;
  }

  /// Reads a state out of an object that has its fields.
  ///
  /// @throws MalformedException naming the field
  public static JobState readState(JsonNode node) {
    JsonFields f = new JsonFields(node, "the job");
    return readState(
        f.text("state"), f.optionalText("code").orElse(""), f.optionalText("message").orElse(""));
  }

  /// The state of a name, with its code and sentence where it has them.
  ///
  /// @throws MalformedException if there is none of that name
  public static JobState readState(String name, String code, String message) {
    return switch (name) {
      case "draft" -> new JobState.Draft();
      case "signed" -> new JobState.Signed();
      case "matched" -> new JobState.Matched();
      case "funded" -> new JobState.Funded();
      case "running" -> new JobState.Running();
      case "completed" -> new JobState.Completed();
      case "settled" -> new JobState.Settled();
      case "refused" -> new JobState.Refused(new Refusal(RefusalCode.of(code), message));
      case "cancelled" -> new JobState.Cancelled();
      case "expired" -> new JobState.Expired();
      case "failed" -> new JobState.Failed(message);
      case "disputed" -> new JobState.Disputed(message);
      default -> throw new MalformedException("no job state is called '" + name + "'");
    };
  }

  /// Progress: `{"step", "total", "loss"?, "tokensPerSecond"}`, all numbers.
  public static ObjectNode write(JobProgress progress) {
    ObjectNode node =
        NODES.objectNode().put("step", progress.step()).put("total", progress.total());
    progress.loss().ifPresent(loss -> node.put("loss", loss));
    return node.put("tokensPerSecond", progress.tokensPerSecond());
  }

  /// Reads progress.
  ///
  /// @throws MalformedException naming the field
  public static JobProgress readProgress(JsonNode node) {
    JsonFields f = new JsonFields(node, "progress");
    OptionalDouble loss =
        f.optional("loss").filter(JsonNode::isNumber).map(JsonNode::doubleValue).stream()
            .mapToDouble(Double::doubleValue)
            .findFirst();
    return new JobProgress(
        f.integer("step"),
        f.integer("total"),
        loss,
        f.optional("tokensPerSecond").map(JsonNode::doubleValue).orElse(0.0));
  }

  /// A transaction: `{"purpose", "status", "job"?, "transaction"?, "gasUsed"?, "createdAt"}`.
  public static ObjectNode write(TransactionView transaction) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("purpose", transaction.purpose())
            .put("status", transaction.status());
    transaction.job().ifPresent(h -> node.put("job", h.hex()));
    transaction.transaction().ifPresent(h -> node.put("transaction", h.hex()));
    transaction.gasUsed().ifPresent(gas -> node.put("gasUsed", Long.toString(gas)));
    return node.put("createdAt", transaction.createdAt().toString());
  }

  /// Reads a draft: `{"kind", "parameters", "input", "model"?, "profile"?, "seed"?, "priceMax"?,
  /// "deadlineSeconds"?, "provider"?}`; a profile that is missing is f32-v1, a deadline an hour
  /// from now.
  ///
  /// @throws MalformedException naming the field
  public static JobDraft readDraft(JsonNode node) {
    JsonFields f = new JsonFields(node, "the draft");
    JobKind kind = f.text("kind", JobKind::of);
    Task task =
        Task.of(
            kind,
            f.optional("parameters")
                .map(p -> ProtocolJson.parameters(p, "the draft"))
                .orElse(List.of()));
    JobDraft draft =
        new JobDraft(
            task,
            f.optionalText("model", Hash::fromHex).filter(h -> !h.isZero()),
            f.text("input", Hash::fromHex),
            f.optionalText("profile", Profile::of).orElse(Profile.F32_V1),
            seed(f.optionalText("seed", Long::parseUnsignedLong)),
            f.optionalText("priceMax", TokenAmount::parse),
            f.optionalInteger("deadlineSeconds").orElse(3_600L),
            f.optionalText("provider", PeerId::of));
    f.end();
    return draft;
  }

  /// A draft, as [#readDraft] reads it.
  public static ObjectNode write(JobDraft draft) {
    ObjectNode node = NODES.objectNode().put("kind", draft.task().kind().id());
    ObjectNode parameters = node.putObject("parameters");
    draft.task().parameters().forEach(p -> parameters.put(p.name(), p.value()));
    draft.model().ifPresent(h -> node.put("model", h.hex()));
    node.put("input", draft.input().hex()).put("profile", draft.profile().id());
    draft.seed().ifPresent(seed -> node.put("seed", Long.toUnsignedString(seed)));
    draft.priceMax().ifPresent(price -> node.put("priceMax", price.toString()));
    draft.provider().ifPresent(peer -> node.put("provider", peer.toString()));
    return node.put("deadlineSeconds", draft.deadlineSeconds());
  }

  /// A folder's manifest: `{"root", "files": [{"path", "size", "root"}]}`; sizes are numbers.
  public static ObjectNode write(FolderManifest manifest) {
    ObjectNode node = NODES.objectNode().put("root", manifest.root().hex());
    var files = node.putArray("files");
    manifest
        .files()
        .forEach(file ->
            files
                .addObject()
                .put("path", file.path())
                .put("size", file.sizeBytes())
                .put("root", file.root().hex()));
    return node;
  }

  /// Reads a manifest; a `root` that is given must be its root.
  ///
  /// @throws MalformedException naming the field
  public static FolderManifest readManifest(JsonNode node) {
    JsonFields f = new JsonFields(node, "the folder");
    List<JsonNode> list = f.list("files");
    if (list.size() > FolderManifest.FILES_MAX) {
      throw new MalformedException(
          "a folder has at most " + FolderManifest.FILES_MAX + " files, not " + list.size());
    }
    List<FolderManifest.File> files = new ArrayList<>();
    for (JsonNode element : list) {
      JsonFields file = new JsonFields(element, "the folder's file");
      files.add(
          new FolderManifest.File(
              file.text("path"), file.integer("size"), file.text("root", Hash::fromHex)));
      file.end();
    }
    Optional<Hash> root = f.optionalText("root", Hash::fromHex);
    f.end();
    FolderManifest manifest = new FolderManifest(files);
    if (root.isPresent() && !root.get().equals(manifest.root())) {
      throw new MalformedException(
          "the folder says that its root is " + root.get() + ", but it is " + manifest.root());
    }
    return manifest;
  }

  private static OptionalLong seed(Optional<Long> seed) {
    return seed.isPresent() ? OptionalLong.of(seed.get()) : OptionalLong.empty();
  }
}
