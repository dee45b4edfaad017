package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.ProtocolJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/// Blobs and folders by their roots. What comes in is checked while it comes, and never held whole.
final class BlobRoutes {
  /// A manifest of [FolderManifest#BYTES_MAX] canonical bytes has at most three times as many as
  /// JSON: 64 hexadecimal digits for 32 bytes, and the names of the fields.
  private static final long MANIFEST_BYTES_MAX = 3L * FolderManifest.BYTES_MAX;

  private static final int UPLOADS_MAX = 16;

  private final Blobs blobs;
  private final Downloads downloads;
  private final Function<FolderManifest, List<Hash>> keep;
  private final long blobBytesMax;
  private final Semaphore uploads = new Semaphore(UPLOADS_MAX);

  /// @param keep keeps a folder's manifest and says which of its files are missing
  BlobRoutes(
      Blobs blobs,
      Function<FolderManifest, List<Hash>> keep,
      Downloads downloads,
      long blobBytesMax) {
    this.blobs = blobs;
    this.keep = keep;
    this.downloads = downloads;
    this.blobBytesMax = blobBytesMax;
  }

  List<Route> routes() {
    return List.of(
        Route.withBody(HttpMethod.PUT, "/v1/blobs/{root}", blobBytesMax, this::put),
        Route.of(HttpMethod.HEAD, "/v1/blobs/{root}", this::head),
        Route.of(HttpMethod.GET, "/v1/blobs/{root}", this::get),
        Route.withBody(HttpMethod.POST, "/v1/folders", MANIFEST_BYTES_MAX, this::putFolder),
        Route.of(HttpMethod.GET, "/v1/folders/{root}", this::folder));
  }

  private HttpResponse put(Call call) throws IOException {
    Hash root = call.hash("root");
    if (declaredBytes(call) > blobBytesMax) {
      throw new ApiException(
          HttpStatus.REQUEST_ENTITY_TOO_LARGE,
          ApiException.Type.INVALID_REQUEST,
          "too-large",
          Optional.empty(),
          "a blob has at most " + blobBytesMax + " bytes here; split it");
    }
    if (!uploads.tryAcquire()) {
      throw ApiException.unavailable(
          "too-many-uploads", UPLOADS_MAX + " uploads are under way; try again when one is done");
    }
    try (InputStream in = call.bodyStream()) {
      boolean known = blobs.has(root);
      if (known) {
        // Read to its end all the same: a client that is still sending would not see the answer.
        in.transferTo(OutputStream.nullOutputStream());
      } else {
        blobs.put(in, Optional.of(root), blobBytesMax);
      }
      ObjectNode body = Json.object().put("root", root.hex());
      blobs.sizeBytes(root).ifPresent(size -> body.put("size", size));
      return Json.response(known ? HttpStatus.OK : HttpStatus.CREATED, body);
    } finally {
      uploads.release();
    }
  }

  private static long declaredBytes(Call call) {
    return call.header(HttpHeaderNames.CONTENT_LENGTH).map(BlobRoutes::length).orElse(0L);
  }

  private static long length(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException _) {
      return 0;
    }
  }

  private long size(Hash root) {
    return blobs
        .sizeBytes(root)
        .orElseThrow(() -> ApiException.notFound("unknown-blob", "there is no blob " + root));
  }

  private HttpResponse head(Call call) {
    Hash root = call.hash("root");
    return HttpResponse.of(Downloads.headers(root, size(root), MediaType.OCTET_STREAM));
  }

  private HttpResponse get(Call call) {
    Hash root = call.hash("root");
    return downloads.file(call, root, size(root), MediaType.OCTET_STREAM, () -> blobs.open(root));
  }

  private HttpResponse putFolder(Call call) {
    FolderManifest manifest = JobJson.readManifest(ProtocolJson.parse(call.jsonBody(), "the body"));
    ObjectNode body = Json.object().put("root", manifest.root().hex());
    ArrayNode missing = body.putArray("missing");
    keep.apply(manifest).forEach(root -> missing.add(root.hex()));
    return Json.ok(body);
  }

  private HttpResponse folder(Call call) {
    Hash root = call.hash("root");
    FolderManifest manifest =
        blobs
            .folder(root)
            .orElseThrow(() ->
                ApiException.notFound(
                    "unknown-folder", "there is no folder " + root + " whose files are all here"));
    return Json.ok(JobJson.write(manifest));
  }
}
