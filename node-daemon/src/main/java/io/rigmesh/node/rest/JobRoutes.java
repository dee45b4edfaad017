package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import io.rigmesh.node.jobs.Artifacts;
import io.rigmesh.node.jobs.CancelResult;
import io.rigmesh.node.jobs.Intake;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobQuery;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.JobView;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Jobs: hand in, list, look at, call off, follow; their receipts and what they made.
final class JobRoutes {
  private static final int LIMIT_DEFAULT = 50;
  private static final Set<String> STATES =
      Set.of(
          "draft",
          "signed",
          "matched",
          "funded",
          "running",
          "completed",
          "settled",
          "refused",
          "cancelled",
          "expired",
          "failed",
          "disputed");

  private final Jobs jobs;
  private final EventStream streams;
  private final Downloads downloads;
  private final long bodyBytesMax;

  JobRoutes(Jobs jobs, EventStream streams, Downloads downloads, long bodyBytesMax) {
    this.jobs = jobs;
    this.streams = streams;
    this.downloads = downloads;
    this.bodyBytesMax = bodyBytesMax;
  }

  List<Route> routes() {
    return List.of(
        Route.withBody(HttpMethod.POST, "/v1/jobs", bodyBytesMax, this::create),
        Route.of(HttpMethod.GET, "/v1/jobs", this::list),
        Route.of(HttpMethod.GET, "/v1/jobs/{id}", this::show),
        Route.of(HttpMethod.DELETE, "/v1/jobs/{id}", this::cancel),
        Route.of(HttpMethod.GET, "/v1/jobs/{id}/events", this::events),
        Route.of(HttpMethod.GET, "/v1/jobs/{id}/receipt", this::receipt),
        Route.of(HttpMethod.GET, "/v1/jobs/{id}/artifacts", this::manifest),
        Route.of(HttpMethod.GET, "/v1/jobs/{id}/artifacts/{*path}", this::artifact));
  }

  private HttpResponse create(Call call) {
    byte[] body = call.jsonBody();
    JsonNode tree = ProtocolJson.parse(body, "the body");
    if (!tree.has("signature")) {
      return created(jobs.submit(JobJson.readDraft(tree)), HttpStatus.CREATED);
    }
    return switch (jobs.accept(body)) {
      case Intake.Accepted(JobView job, boolean known) ->
          created(job, known ? HttpStatus.OK : HttpStatus.CREATED);
      case Intake.Refused(var refusal) -> throw ApiException.refusal(refusal);
      case Intake.Reserved _ ->
          throw new IllegalStateException("places are held for those who ask over the network");
    };
  }

  private static HttpResponse created(JobView job, HttpStatus status) {
    return HttpResponse.of(
        ResponseHeaders.builder(status)
            .contentType(MediaType.JSON)
            .add(HttpHeaderNames.LOCATION, "/v1/jobs/" + job.id().hex())
            .build(),
        HttpData.wrap(Json.bytes(JobJson.write(job))));
  }

  private HttpResponse list(Call call) {
    call.allowQueries(Set.of("state", "role", "limit", "after"));
    Optional<String> state = call.query("state");
    if (state.isPresent() && !STATES.contains(state.get())) {
      throw ApiException.invalid("state", "state is one of " + String.join(", ", sorted(STATES)));
    }
    int limit = call.integer("limit", LIMIT_DEFAULT, 1, JobQuery.PAGE_MAX);
    List<JobView> found =
        jobs.list(
            new JobQuery(state, call.query("role").map(JobRoutes::role), limit + 1, after(call)));
    List<JobView> page = found.subList(0, Math.min(limit, found.size()));
    ObjectNode body = Json.object();
    ArrayNode list = body.putArray("jobs");
    page.forEach(job -> list.add(JobJson.write(job)));
    if (found.size() > limit) {
      body.put("next", page.getLast().id().hex());
    }
    return Json.ok(body);
  }

  private static List<String> sorted(Set<String> names) {
    return names.stream().sorted().toList();
  }

  private static JobRole role(String text) {
    try {
      return JobRole.of(text);
    } catch (IllegalArgumentException e) {
      throw ApiException.invalid("role", String.valueOf(e.getMessage()));
    }
  }

  private Optional<Hash> after(Call call) {
    Optional<Hash> after = call.query("after").map(JobRoutes::jobId);
    after.ifPresent(this::found);
    return after;
  }

  private static Hash jobId(String text) {
    try {
      return Hash.fromHex(text);
    } catch (MalformedException e) {
      throw ApiException.invalid("after", "after: " + e.sentence());
    }
  }

  private JobView found(Hash id) {
    return jobs.find(id)
        .orElseThrow(() -> ApiException.notFound("unknown-job", "there is no job " + id));
  }

  private HttpResponse show(Call call) {
    return Json.ok(JobJson.write(found(call.hash("id"))));
  }

  private HttpResponse cancel(Call call) {
    Hash id = call.hash("id");
    return switch (jobs.cancel(id)) {
      case CancelResult.Cancelled(JobView job) ->
          Json.response(HttpStatus.ACCEPTED, JobJson.write(job));
      case CancelResult.TooLate(JobView job) ->
          throw ApiException.conflict(
              "too-late", "job " + id + " is " + job.state().id() + " and cannot be called off");
      case CancelResult.Unknown() ->
          throw ApiException.notFound("unknown-job", "there is no job " + id);
    };
  }

  private HttpResponse events(Call call) {
    Hash id = call.hash("id");
    long after = call.header("last-event-id").map(JobRoutes::sequence).orElse(0L);
    return streams.start(
        call,
        jobs.events(id, after)
            .orElseThrow(() -> ApiException.notFound("unknown-job", "there is no job " + id)));
  }

  private static long sequence(String text) {
    try {
      long value = Long.parseLong(text.strip());
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException _) {
      // Said below, together with negative ones.
    }
    throw ApiException.invalid("last-event-id", "Last-Event-ID is the id of an event seen before");
  }

  private HttpResponse receipt(Call call) {
    Hash id = call.hash("id");
    JobView job = found(id);
    byte[] receipt = jobs.receipt(id).orElseThrow(() -> notYet(job, "receipt"));
    return HttpResponse.of(HttpStatus.OK, MediaType.JSON, HttpData.wrap(receipt));
  }

  private Artifacts artifacts(Call call) {
    Hash id = call.hash("id");
    JobView job = found(id);
    return jobs.artifacts(id).orElseThrow(() -> notYet(job, "output"));
  }

  private static ApiException notYet(JobView job, String what) {
    String when = job.state().isFinal() ? "; it has none" : "; it comes when the job is completed";
    return ApiException.notFound(
        "no-" + what, "job " + job.id() + " is " + job.state().id() + " and has no " + what + when);
  }

  private HttpResponse manifest(Call call) {
    return Json.ok(JobJson.write(artifacts(call).manifest()));
  }

  private HttpResponse artifact(Call call) {
    Artifacts artifacts = artifacts(call);
    String path = call.part("path");
    FolderManifest.File file =
        artifacts
            .file(path)
            .orElseThrow(() ->
                ApiException.notFound(
                    "unknown-file", "the output has no file '" + path + "'; see its manifest"));
    return downloads.file(
        call, file.root(), file.sizeBytes(), type(path), () -> artifacts.blobs().open(file.root()));
  }

  /// JSON is named as such; everything else is bytes, so that no browser shows a stranger's output
  /// as a page.
  private static MediaType type(String path) {
    return path.endsWith(".json") ? MediaType.JSON : MediaType.OCTET_STREAM;
  }
}
