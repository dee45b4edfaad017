package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpResponse;
import io.rigmesh.node.jobs.Artifacts;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobView;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.protocol.Hash;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.format.SafetensorsFile;
import io.rigmesh.worker.format.StoredTensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Waits for an embedding job's output and answers with its vectors.
final class EmbeddingAnswers {
  private static final Duration WAIT = Duration.ofSeconds(5);
  private static final String OUTPUT = "vectors.safetensors";
  private static final String TENSOR = "embeddings";
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Jobs jobs;

  EmbeddingAnswers(Jobs jobs) {
    this.jobs = jobs;
  }

  HttpResponse answer(Call call, Hash job, OpenAiRequest request, int count) {
    boolean base64 = request.base64();
    boolean done = false;
    try (JobEvents events = jobs.events(job, 0).orElseThrow()) {
      Artifacts output = awaited(call, job, events);
      ObjectNode body = Json.object().put("object", "list").put("model", request.model());
      ArrayNode data = body.putArray("data");
      write(output, request, count, base64, data);
      long tokens = jobs.find(job).flatMap(JobView::meter).map(m -> m.tokensIn()).orElse(0L);
      body.putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
      done = true;
      return Json.ok(body);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ApiException.unavailable("stopping", "the node is stopping");
    } finally {
      if (!done) {
        jobs.cancel(job);
      }
    }
  }

  private Artifacts awaited(Call call, Hash job, JobEvents events) throws InterruptedException {
    while (!call.context().isCancelled()) {
      call.keepAlive();
      Optional<Artifacts> output = jobs.artifacts(job).filter(EmbeddingAnswers::isHere);
      if (output.isPresent()) {
        return output.get();
      }
      switch (events.next(WAIT)) {
        case JobEvents.Next.Event(var event) -> {
          JsonNode data = OpenAiRoutes.data(event.data());
          if (data.has("state")) {
            GenerationAnswers.refuseEnd(JobJson.readState(data));
          }
        }
        case JobEvents.Next.Waiting() -> {}
        case JobEvents.Next.Ended() ->
            throw ApiException.unavailable("job-ended", "the job ended without its vectors");
      }
    }
    throw ApiException.unavailable("client-gone", "the client went away");
  }

  private static boolean isHere(Artifacts output) {
    return output.file(OUTPUT).filter(file -> output.blobs().has(file.root())).isPresent();
  }

  private static void write(
      Artifacts output, OpenAiRequest request, int count, boolean base64, ArrayNode data) {
    Path file = null;
    try {
      file = Files.createTempFile("rigmesh-vectors", ".safetensors");
      try (InputStream in = output.open(OUTPUT).orElseThrow()) {
        Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      }
      try (SafetensorsFile vectors = SafetensorsFile.open(file)) {
        write(vectors, request, count, base64, data);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the vectors: " + e.getMessage(), e);
    } finally {
      delete(file);
    }
  }

  private static void write(
      SafetensorsFile file, OpenAiRequest request, int count, boolean base64, ArrayNode data) {
    StoredTensor tensor = file.tensor(TENSOR);
    int columns = Math.toIntExact(tensor.shape().get(1));
    if (tensor.type() != ElementType.F32 || tensor.shape().getFirst() != count) {
      throw new IllegalStateException("the output has other vectors than were asked for");
    }
    if (request.dimensions().isPresent() && request.dimensions().getAsInt() != columns) {
      throw ApiException.invalid(
          "dimensions", "vectors of this model have " + columns + " components");
    }
    long rowBytes = (long) columns * Float.BYTES;
    for (int i = 0; i < count; i++) {
      ObjectNode entry = data.addObject().put("object", "embedding").put("index", i);
      MemorySegment row = file.bytes(TENSOR).asSlice(i * rowBytes, rowBytes);
      if (base64) {
        byte[] bytes = row.toArray(ValueLayout.JAVA_BYTE);
        entry.put("embedding", Base64.getEncoder().encodeToString(bytes));
      } else {
        ArrayNode numbers = entry.putArray("embedding");
        for (int c = 0; c < columns; c++) {
          numbers.add(row.get(FLOAT, (long) c * Float.BYTES));
        }
      }
    }
  }

  private static void delete(@Nullable Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + file + ": " + e.getMessage(), e);
    }
  }
}
