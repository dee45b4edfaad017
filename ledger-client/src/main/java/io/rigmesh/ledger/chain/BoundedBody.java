package io.rigmesh.ledger.chain;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads the body of an answer that is bounded in size and in time: the time limit of a request of
/// `java.net.http` ends where the headers have come (JDK-8208693).
public final class BoundedBody {
  private static final Logger LOG = LoggerFactory.getLogger(BoundedBody.class);

  private BoundedBody() {}

  /// Reads a body to its end, or up to so many bytes.
  ///
  /// @throws HttpTimeoutException if it has not come by then
  public static byte[] read(HttpResponse<InputStream> answer, int bytesMax, Duration patience)
      throws IOException {
    InputStream body = answer.body();
    AtomicBoolean late = new AtomicBoolean();
    CompletableFuture<Boolean> read = new CompletableFuture<>();
    CompletableFuture<Boolean> _ =
        read.orTimeout(patience.toNanos(), TimeUnit.NANOSECONDS)
            .whenComplete((_, timeout) -> {
              if (timeout != null) {
                late.set(true);
                close(body);
              }
            });
    byte[] bytes;
    try (body) {
      bytes = body.readNBytes(bytesMax);
    } catch (IOException e) {
      throw late.get() ? late(patience, e) : e;
    } finally {
      boolean _ = read.complete(true);
    }
    // Whoever reads what another closes may also see its end.
    if (late.get()) {
      throw late(patience, new IOException("closed"));
    }
    return bytes;
  }

  private static HttpTimeoutException late(Duration patience, IOException cause) {
    HttpTimeoutException late =
        new HttpTimeoutException(
            "its answer began and did not end within %d ms".formatted(patience.toMillis()));
    late.initCause(cause);
    return late;
  }

  private static void close(InputStream body) {
    try {
      body.close();
    } catch (IOException e) {
      // It is no longer read either way.
      LOG.trace("an answer that is late did not close well", e);
    }
  }
}
