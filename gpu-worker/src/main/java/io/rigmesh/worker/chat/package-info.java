/// Chats with a model: the template that a Hugging Face folder brings, and the prompt that it makes
/// of messages.
@NullMarked
package io.rigmesh.worker.chat;

import org.jspecify.annotations.NullMarked;
