package io.rigmesh.worker.chat;

/// Messages that a model's chat template cannot or will not turn into a prompt. The message says
/// why, for whoever sent them.
public final class ChatTemplateException extends RuntimeException {
  ChatTemplateException(String message) {
    super(message);
  }

  ChatTemplateException(String message, Throwable cause) {
    super(message, cause);
  }
}
