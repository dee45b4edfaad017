package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpResponse;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.protocol.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Follows a generation job and answers with its tokens, all at once or one by one. A client that
/// goes away calls its job off.
final class GenerationAnswers {
  private static final Duration WAIT = Duration.ofSeconds(5);

  private final Jobs jobs;
  private final EventStream streams;

  GenerationAnswers(Jobs jobs, EventStream streams) {
    this.jobs = jobs;
    this.streams = streams;
  }

  /// The whole answer; the request may take as long as the job does.
  HttpResponse whole(Call call, JobEvents events, GenerationShape shape) {
    List<JsonNode> tokens = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    boolean done = false;
    try (events) {
      while (true) {
        Optional<JsonNode> next = next(call, events, () -> call.context().isCancelled());
        if (next.isEmpty()) {
          throw ApiException.unavailable("client-gone", "the client went away");
        }
        JsonNode token = next.get();
        tokens.add(token);
        text.append(token.path("text").asText());
        if (token.has("finish")) {
          done = true;
          return Json.ok(
              shape.whole(
                  text.toString(),
                  tokens,
                  token.path("finish").asText(),
                  tokens.getFirst().path("position").asLong()));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ApiException.unavailable("stopping", "the node is stopping");
    } finally {
      if (!done) {
        jobs.cancel(shape.job());
      }
    }
  }

  /// The answer in chunks, as they come.
  HttpResponse stream(Call call, JobEvents events, GenerationShape shape) {
    return streams.start(
        call,
        events,
        out -> {
          boolean done = false;
          try {
            if (shape.isChat()) {
              out.data(shape.role());
            }
            long count = 0;
            long promptTokens = 0;
            while (!done) {
              Optional<JsonNode> next = next(call, events, out::isGone);
              if (next.isEmpty()) {
                return;
              }
              JsonNode token = next.get();
              promptTokens = count == 0 ? token.path("position").asLong() : promptTokens;
              count++;
              out.data(shape.token(token));
              if (token.has("finish")) {
                done = true;
                out.data(shape.end(token.path("finish").asText()));
                if (shape.endsWithUsage()) {
                  out.data(shape.usage(promptTokens, count, true));
                }
                out.text("data: [DONE]\n\n");
              }
            }
          } catch (ApiException e) {
            out.data(
                (ObjectNode) OpenAiRoutes.data(Errors.answer(call.requestId(), e).contentUtf8()));
          } finally {
            if (!done) {
              jobs.cancel(shape.job());
            }
          }
        });
  }

  /// Whether nobody listens any more; asked while nothing comes.
  interface Listener {
    boolean isGone();
  }

  /// The next token; empty if the client is gone.
  ///
  /// @throws ApiException if the job ends without its last one
  private static Optional<JsonNode> next(Call call, JobEvents events, Listener listener)
      throws InterruptedException {
    while (!listener.isGone()) {
      call.keepAlive();
      switch (events.next(WAIT)) {
        case JobEvents.Next.Event(var event) -> {
          JsonNode data = OpenAiRoutes.data(event.data());
          if (event.type() == JobEvent.Type.TOKEN) {
            return Optional.of(data);
          }
          if (event.type() == JobEvent.Type.STATE) {
            refuseEnd(JobJson.readState(data));
          }
        }
        case JobEvents.Next.Waiting() -> {}
        case JobEvents.Next.Ended() ->
            throw ApiException.unavailable("job-ended", "the job ended before its last token came");
      }
    }
    return Optional.empty();
  }

  /// Says why a job has no result.
  static void refuseEnd(JobState state) {
    switch (state) {
      case JobState.Refused(var refusal) -> throw ApiException.refusal(refusal);
      case JobState.Failed(var reason) -> throw ApiException.unavailable("job-failed", reason);
      case JobState.Expired _ ->
          throw ApiException.unavailable("job-expired", "the job was not done by its deadline");
      case JobState.Cancelled _ ->
          throw ApiException.unavailable("job-cancelled", "the job was called off");
      case JobState.Draft _,
          JobState.Signed _,
          JobState.Matched _,
          JobState.Funded _,
          JobState.Running _,
          JobState.Completed _,
          JobState.Settled _,
          JobState.Disputed _ -> {}
    }
  }
}
