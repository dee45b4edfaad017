package io.rigmesh.node.rest;

import com.linecorp.armeria.common.HttpStatus;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import java.util.Optional;

/// A request is not answered with what it asked for. Its message goes to the client as it is.
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient HttpStatus status;
  private final transient Type type;
  private final String code;
  private final transient Optional<String> param;

  /// The classes of errors, in the words that OpenAI's clients know, where they have one.
  enum Type {
    INVALID_REQUEST("invalid_request_error"),
    AUTHENTICATION("authentication_error"),
    NOT_FOUND("not_found_error"),
    RATE_LIMIT("rate_limit_error"),
    REFUSAL("refusal"),
    SERVER("server_error");

    private final String id;

    Type(String id) {
      this.id = id;
    }

    String id() {
      return id;
    }
  }

  ApiException(HttpStatus status, Type type, String code, Optional<String> param, String message) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
    this.param = param;
  }

  /// A part of the request is wrong; `param` names it.
  static ApiException invalid(String param, String message) {
    return new ApiException(
        HttpStatus.BAD_REQUEST,
        Type.INVALID_REQUEST,
        "invalid-parameter",
        Optional.of(param),
        message);
  }

  /// The request is wrong as a whole.
  static ApiException malformed(String message) {
    return new ApiException(
        HttpStatus.BAD_REQUEST, Type.INVALID_REQUEST, "malformed", Optional.empty(), message);
  }

  /// There is no such thing.
  static ApiException notFound(String code, String message) {
    return new ApiException(HttpStatus.NOT_FOUND, Type.NOT_FOUND, code, Optional.empty(), message);
  }

  /// The thing is there, but not in a state for this.
  static ApiException conflict(String code, String message) {
    return new ApiException(
        HttpStatus.CONFLICT, Type.INVALID_REQUEST, code, Optional.empty(), message);
  }

  /// Too much at once.
  static ApiException tooMany(String message) {
    return new ApiException(
        HttpStatus.TOO_MANY_REQUESTS,
        Type.RATE_LIMIT,
        "too-many-requests",
        Optional.empty(),
        message);
  }

  /// Something that this needs is away; later may do.
  static ApiException unavailable(String code, String message) {
    return new ApiException(
        HttpStatus.SERVICE_UNAVAILABLE, Type.SERVER, code, Optional.empty(), message);
  }

  /// The market's own refusals, with the status that says the same in HTTP.
  static ApiException refusal(Refusal refusal) {
    return new ApiException(
        statusOf(refusal.code()),
        Type.REFUSAL,
        refusal.code().id(),
        Optional.empty(),
        refusal.sentence());
  }

  private static HttpStatus statusOf(RefusalCode code) {
    return switch (code) {
      case MALFORMED -> HttpStatus.BAD_REQUEST;
      case TOO_LARGE -> HttpStatus.REQUEST_ENTITY_TOO_LARGE;
      case BAD_SIGNATURE -> HttpStatus.FORBIDDEN;
      case REPLAYED -> HttpStatus.CONFLICT;
      case NOT_FUNDED, UNPAID -> HttpStatus.PAYMENT_REQUIRED;
      case EXPIRED,
          DEADLINE_TOO_SOON,
          PRICE_TOO_LOW,
          WRONG_CHAIN,
          UNKNOWN_MODEL,
          UNKNOWN_INPUT,
          UNSUPPORTED,
          OUT_OF_MEMORY ->
          HttpStatus.UNPROCESSABLE_ENTITY;
      case BUSY, UNAVAILABLE -> HttpStatus.SERVICE_UNAVAILABLE;
    };
  }

  HttpStatus status() {
    return status;
  }

  Type type() {
    return type;
  }

  String code() {
    return code;
  }

  Optional<String> param() {
    return param;
  }
}
