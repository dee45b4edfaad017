package io.rigmesh.node.rest;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.stream.ByteStreamMessage;
import com.linecorp.armeria.common.stream.StreamMessage;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Hash;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/// Answers that are files: streamed at the reader's pace, tagged with their root, which changes
/// exactly when their bytes do.
final class Downloads {
  private final Executor threads;

  Downloads(Executor threads) {
    this.threads = threads;
  }

  /// The bytes behind `content`, or that the client has them already.
  HttpResponse file(
      Call call, Hash root, long sizeBytes, MediaType type, Supplier<InputStream> content) {
    String tag = tag(root);
    boolean known =
        call.header(HttpHeaderNames.IF_NONE_MATCH)
            .map(tags -> Arrays.asList(tags.split("\\s*,\\s*")).contains(tag))
            .orElse(false);
    if (known) {
      return HttpResponse.of(
          ResponseHeaders.of(HttpStatus.NOT_MODIFIED, HttpHeaderNames.ETAG, tag));
    }
    ResponseHeaders headers = headers(root, sizeBytes, type);
    ByteStreamMessage body =
        StreamMessage.fromOutputStream(out -> copy(call, content, out), threads);
    return HttpResponse.of(headers, body);
  }

  /// The headers of such an answer.
  static ResponseHeaders headers(Hash root, long sizeBytes, MediaType type) {
    return ResponseHeaders.builder(HttpStatus.OK)
        .contentType(type)
        .addLong(HttpHeaderNames.CONTENT_LENGTH, sizeBytes)
        .add(HttpHeaderNames.ETAG, tag(root))
        .add(HttpHeaderNames.CACHE_CONTROL, "private, immutable, max-age=31536000")
        .build();
  }

  private static String tag(Hash root) {
    return '"' + root.hex() + '"';
  }

  private static void copy(Call call, Supplier<InputStream> content, OutputStream out) {
    byte[] buffer = new byte[BlobRoot.CHUNK_BYTES / 4];
    try (InputStream in = content.get();
        out) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        call.keepAlive();
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("a download broke off", e);
    }
  }
}
