package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import io.rigmesh.node.Node;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Task;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/// OpenAI's interface to the market: a request becomes a job, signed with this node's key, that any
/// provider computes; its tokens become the answer. Models are named as offers name them, or by
/// their root.
final class OpenAiRoutes {
  private final Node node;
  private final long bodyBytesMax;
  private final GenerationAnswers answers;
  private final EmbeddingAnswers embeddings;

  OpenAiRoutes(Node node, EventStream streams, long bodyBytesMax) {
    this.node = node;
    this.bodyBytesMax = bodyBytesMax;
    this.answers = new GenerationAnswers(node.jobs(), streams);
    this.embeddings = new EmbeddingAnswers(node.jobs());
  }

  List<Route> routes() {
    return List.of(
        Route.of(HttpMethod.GET, "/v1/models", _ -> models()),
        Route.of(HttpMethod.GET, "/v1/models/{model}", this::model),
        Route.withBody(HttpMethod.POST, "/v1/chat/completions", bodyBytesMax, this::chat),
        Route.withBody(HttpMethod.POST, "/v1/completions", bodyBytesMax, this::completion),
        Route.withBody(HttpMethod.POST, "/v1/embeddings", bodyBytesMax, this::embedding));
  }

  private HttpResponse models() {
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    offered().values().forEach(model -> data.add(describe(model)));
    return Json.ok(body);
  }

  private HttpResponse model(Call call) {
    String name = call.part("model");
    Hash root = resolve(name, Optional.empty());
    Offered found = offered().get(root);
    if (found == null) {
      throw unknown(name, "no live offer has it");
    }
    return Json.ok(describe(found));
  }

  private static ObjectNode describe(Offered offered) {
    ObjectNode model =
        Json.object()
            .put("id", offered.model().name().isEmpty() ? offered.root() : offered.model().name())
            .put("object", "model")
            .put("created", 0)
            .put("owned_by", "rigmesh")
            .put("root", offered.root())
            .put("kind", offered.model().kind().id())
            .put("providers", offered.providers());
    ArrayNode kinds = model.putArray("kinds");
    offered.kinds().forEach(kind -> kinds.add(kind.id()));
    return model;
  }

  /// A model that is offered.
  ///
  /// @param model as one of the offers says it first
  /// @param kinds what jobs it is offered for, in the order of the kinds
  /// @param providers how many offer it
  private record Offered(Offer.Model model, Set<JobKind> kinds, int providers) {
    /// As one offer has it.
    static Offered by(Offer.Model model) {
      return new Offered(model, EnumSet.of(model.kind()), 1);
    }

    /// The same model in one offer for several kinds, or in several offers.
    Offered and(Offered other, int providersTogether) {
      Set<JobKind> all = EnumSet.copyOf(kinds);
      all.addAll(other.kinds);
      return new Offered(model, all, providersTogether);
    }

    String root() {
      return model.root().hex();
    }
  }

  private Map<Hash, Offered> offered() {
    Map<Hash, Offered> models = new TreeMap<>();
    for (Offer offer : node.offers()) {
      Map<Hash, Offered> here = new TreeMap<>();
      for (Offer.Model model : offer.models()) {
        if (!model.root().isZero()) {
          // An offer names a model once for each kind of job.
          here.merge(model.root(), Offered.by(model), (known, more) -> known.and(more, 1));
        }
      }
      here.forEach((root, found) ->
          models.merge(root, found, (known, more) -> known.and(more, known.providers() + 1)));
    }
    return models;
  }

  /// The root of a model that is named by it or as an offer names it.
  private Hash resolve(String name, Optional<JobKind> kind) {
    if (name.matches("0x[0-9a-fA-F]{64}")) {
      return Hash.fromHex(name);
    }
    List<Offered> found =
        offered().values().stream()
            .filter(o -> o.model().name().equals(name))
            .filter(o -> kind.isEmpty() || o.kinds().contains(kind.get()))
            .sorted(Comparator.comparingInt(Offered::providers).reversed())
            .toList();
    if (found.isEmpty()) {
      throw unknown(name, "no live offer names it");
    }
    if (found.size() > 1) {
      throw unknown(
          name,
          "several models have that name; name one by its root: "
              + String.join(", ", found.stream().map(Offered::root).toList()));
    }
    return found.getFirst().model().root();
  }

  private static ApiException unknown(String name, String why) {
    return new ApiException(
        com.linecorp.armeria.common.HttpStatus.NOT_FOUND,
        ApiException.Type.INVALID_REQUEST,
        "model_not_found",
        Optional.of("model"),
        "the model '" + name + "' cannot be had: " + why + "; /v1/models lists what can");
  }

  private HttpResponse chat(Call call) {
    OpenAiRequest request = OpenAiRequest.chat(call.jsonBody());
    return generate(call, request, request.chatTask(), request.messages(), true);
  }

  private HttpResponse completion(Call call) {
    OpenAiRequest request = OpenAiRequest.completion(call.jsonBody());
    byte[] prompt = request.prompt().getBytes(StandardCharsets.UTF_8);
    return generate(call, request, request.completionTask(), prompt, false);
  }

  private HttpResponse generate(
      Call call, OpenAiRequest request, Task.Generate task, byte[] input, boolean chat) {
    boolean usage = request.streamUsage();
    Hash job = submit(request, task, input, JobKind.GENERATE);
    JobEvents events = node.jobs().events(job, 0).orElseThrow();
    GenerationShape shape = new GenerationShape(job, request.model(), chat, usage, task);
    return request.stream()
        ? answers.stream(call, events, shape)
        : answers.whole(call, events, shape);
  }

  private HttpResponse embedding(Call call) {
    OpenAiRequest request = OpenAiRequest.embedding(call.jsonBody());
    List<String> texts = request.inputs();
    StringBuilder lines = new StringBuilder();
    // A line is a text: a break inside one is white space to the tokenizer, as a space is.
    texts.forEach(text -> lines.append(text.replaceAll("[\\r\\n]", " ")).append('\n'));
    byte[] input = lines.toString().getBytes(StandardCharsets.UTF_8);
    Hash job = submit(request, new Task.Embed(), input, JobKind.EMBED);
    return embeddings.answer(call, job, request, texts.size());
  }

  private Hash submit(OpenAiRequest request, Task task, byte[] input, JobKind kind) {
    Hash model = resolve(request.model(), Optional.of(kind));
    Hash root = node.blobs().put(new ByteArrayInputStream(input), Optional.empty(), input.length);
    try {
      return node.jobs()
          .submit(
              new JobDraft(
                  task,
                  Optional.of(model),
                  root,
                  request.profile(),
                  task instanceof Task.Generate ? request.seed() : OptionalLong.of(0),
                  Optional.empty(),
                  request.deadlineSeconds(),
                  Optional.empty()))
          .id();
    } catch (MalformedException e) {
      throw ApiException.malformed(e.sentence());
    }
  }

  /// Reads an event's data.
  static JsonNode data(String json) {
    return ProtocolJson.parse(json.getBytes(StandardCharsets.UTF_8), "an event of this node");
  }
}
