package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.linecorp.armeria.common.ClosedSessionException;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.stream.CancelledSubscriptionException;
import com.linecorp.armeria.common.stream.ClosedStreamException;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobEvents;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A job's events as server-sent events: each with its sequence number as id, so that a client that
/// lost its connection goes on behind the last one it saw; a comment now and then while nothing
/// happens; and `end` when the job is at its end.
final class EventStream {
  private static final Logger LOG = LoggerFactory.getLogger(EventStream.class);

  private final Duration heartbeat;
  private final Executor threads;
  private final Semaphore streams;

  EventStream(Duration heartbeat, int streamsMax, Executor threads) {
    this.heartbeat = heartbeat;
    this.threads = threads;
    this.streams = new Semaphore(streamsMax);
  }

  /// How many streams are still to be had.
  int free() {
    return streams.availablePermits();
  }

  /// What is sent of a job.
  interface Body {
    /// Sends it all.
    void send(Out out) throws InterruptedException;
  }

  /// Where it is sent. What is written waits until it was taken.
  static final class Out {
    private final Call call;
    private final HttpResponseWriter writer;

    private Out(Call call, HttpResponseWriter writer) {
      this.call = call;
      this.writer = writer;
    }

    /// Whether nobody listens any more.
    boolean isGone() {
      return !writer.isOpen();
    }

    /// Sends JSON as one event without a name.
    void data(JsonNode node) {
      text("data: " + node + "\n\n");
    }

    /// Sends lines as they are.
    void text(String text) {
      write(call, writer, text);
    }
  }

  /// Starts a stream of all events, which owns and closes `events`.
  HttpResponse start(Call call, JobEvents events) {
    return start(
        call,
        events,
        out -> {
          // The first bytes leave at once, so that the client knows that it is connected.
          out.text(": rigmesh\n\n");
          boolean ended = false;
          while (!ended && !out.isGone()) {
            switch (events.next(heartbeat)) {
              case JobEvents.Next.Event(var event) -> out.text(text(event));
              case JobEvents.Next.Waiting() -> out.text(": heartbeat\n\n");
              case JobEvents.Next.Ended() -> {
                out.text("event: end\ndata: {}\n\n");
                ended = true;
              }
            }
          }
        });
  }

  /// Starts a stream, which owns and closes `events`.
  HttpResponse start(Call call, JobEvents events, Body body) {
    if (!streams.tryAcquire()) {
      events.close();
      throw ApiException.unavailable(
          "too-many-streams", "too many event streams are open; close one, or ask for the job");
    }
    HttpResponseWriter writer = HttpResponse.streaming();
    writer.write(
        ResponseHeaders.builder(HttpStatus.OK)
            .contentType(MediaType.EVENT_STREAM)
            .add(HttpHeaderNames.CACHE_CONTROL, "no-store")
            .build());
    // A client that goes away ends the wait for the next event.
    var _ =
        writer
            .whenComplete()
            .handle((_, _) -> {
              events.close();
              return null;
            });
    threads.execute(() -> send(call, events, writer, body));
    return writer;
  }

  private void send(Call call, JobEvents events, HttpResponseWriter writer, Body body) {
    try (events) {
      body.send(new Out(call, writer));
      writer.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      writer.close();
    } catch (RuntimeException e) {
      if (!isGone(e)) {
        LOG.warn("request {}: an event stream broke off", call.requestId(), e);
      }
      writer.close(e);
    } finally {
      streams.release();
    }
  }

  private static boolean isGone(Throwable e) {
    Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    return cause instanceof ClosedSessionException
        || cause instanceof ClosedStreamException
        || cause instanceof CancelledSubscriptionException;
  }

  /// Writes and waits until it was taken, so that a slow reader holds up only its own thread, and
  /// no more than one event waits in memory.
  private static void write(Call call, HttpResponseWriter writer, String text) {
    call.keepAlive();
    if (writer.tryWrite(HttpData.ofUtf8(text))) {
      writer.whenConsumed().join();
    }
  }

  private static String text(JobEvent event) {
    return "id: "
        + event.sequence()
        + "\nevent: "
        + event.type().id()
        + "\ndata: {\"sequence\":"
        + event.sequence()
        + ",\"at\":\""
        + Instant.ofEpochMilli(event.atMillis())
        + "\",\"type\":\""
        + event.type().id()
        + "\",\"data\":"
        + event.data()
        + "}\n\n";
  }
}
