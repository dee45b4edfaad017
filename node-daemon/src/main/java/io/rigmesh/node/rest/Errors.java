package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.ContentTooLargeException;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import com.linecorp.armeria.server.HttpStatusException;
import com.linecorp.armeria.server.RequestTimeoutException;
import com.linecorp.armeria.server.ServerErrorHandler;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.rigmesh.node.blob.BlobRefusedException;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.protocol.MalformedException;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Every error of the interface, in OpenAI's shape, with the request's id, whatever it came from: a
/// handler, a limit, or HTTP itself.
final class Errors implements ServerErrorHandler {
  private static final Logger LOG = LoggerFactory.getLogger(Errors.class);
  private static final int RETRY_AFTER_SECONDS = 2;

  @Override
  public HttpResponse onServiceException(ServiceRequestContext ctx, Throwable cause) {
    return answer(RequestId.of(ctx), known(ctx, unwrapped(cause))).toHttpResponse();
  }

  @Override
  public @Nullable AggregatedHttpResponse renderStatus(
      @Nullable ServiceRequestContext ctx,
      ServiceConfig config,
      @Nullable RequestHeaders headers,
      HttpStatus status,
      @Nullable String description,
      @Nullable Throwable cause) {
    String id = ctx != null ? RequestId.of(ctx) : RequestId.fresh();
    return answer(id, ofStatus(status, Optional.ofNullable(description)));
  }

  /// The answer to a failed request.
  static AggregatedHttpResponse answer(String requestId, ApiException error) {
    ObjectNode body = Json.object();
    ObjectNode fields = body.putObject("error");
    fields
        .put("message", error.getMessage())
        .put("type", error.type().id())
        .put("code", error.code())
        .put("param", error.param().orElse(null))
        .put("requestId", requestId);
    ResponseHeadersBuilder headers =
        ResponseHeaders.builder(error.status())
            .contentType(MediaType.JSON)
            .add(RequestId.HEADER, requestId);
    if (error.status().equals(HttpStatus.UNAUTHORIZED)) {
      headers.add(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer realm=\"rigmesh\"");
    }
    if (error.status().equals(HttpStatus.TOO_MANY_REQUESTS)
        || error.status().equals(HttpStatus.SERVICE_UNAVAILABLE)) {
      headers.addInt(HttpHeaderNames.RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    return AggregatedHttpResponse.of(headers.build(), HttpData.wrap(Json.bytes(body)));
  }

  private static ApiException known(ServiceRequestContext ctx, Throwable cause) {
    return switch (cause) {
      case ApiException e -> e;
      case RefusedException e -> ApiException.refusal(e.refusal());
      case BlobRefusedException e -> ApiException.refusal(e.refusal());
      case MalformedException e -> ApiException.malformed(e.sentence());
      case ContentTooLargeException e ->
          ofStatus(
              HttpStatus.REQUEST_ENTITY_TOO_LARGE,
              Optional.of("the body has more than the " + e.maxContentLength() + " bytes allowed"));
      case RequestTimeoutException _ -> ofStatus(HttpStatus.SERVICE_UNAVAILABLE, Optional.empty());
      case HttpStatusException e -> ofStatus(e.httpStatus(), Optional.empty());
      default -> {
        // The client learns no internals; the request id leads from its answer to this line.
        LOG.error("request {} {} failed", RequestId.of(ctx), ctx.path(), cause);
        yield ofStatus(HttpStatus.INTERNAL_SERVER_ERROR, Optional.empty());
      }
    };
  }

  private static Throwable unwrapped(Throwable cause) {
    Throwable inner = cause;
    while ((inner instanceof CompletionException || inner instanceof ExecutionException)
        && inner.getCause() != null) {
      inner = inner.getCause();
    }
    return inner;
  }

  private static ApiException ofStatus(HttpStatus status, Optional<String> description) {
    ApiException.Type type = ApiException.Type.INVALID_REQUEST;
    String code = status.reasonPhrase().toLowerCase(java.util.Locale.ROOT).replace(' ', '-');
    String sentence = status.reasonPhrase();
    switch (status.code()) {
      case 404 -> {
        type = ApiException.Type.NOT_FOUND;
        code = "unknown-route";
        sentence = "there is nothing at this path; /openapi.json lists what there is";
      }
      case 405 -> {
        code = "method-not-allowed";
        sentence = "this path does not take this method; /openapi.json says which it takes";
      }
      case 413 -> {
        code = "too-large";
        sentence = "the body has more bytes than allowed here";
      }
      case 415 -> {
        code = "unsupported-media-type";
        sentence = "this path takes application/json";
      }
      case 503 -> {
        type = ApiException.Type.SERVER;
        code = "timeout";
        sentence = "the answer took too long, or the node is stopping; try again";
      }
      default -> {
        if (status.isServerError()) {
          type = ApiException.Type.SERVER;
          code = "internal";
          sentence = "the node failed; its log says why, under this request id";
        }
      }
    }
    return new ApiException(status, type, code, Optional.empty(), description.orElse(sentence));
  }
}
