/// Text to token ids and back through the Hugging Face tokenizers library, and the training of new
/// byte-level BPE vocabularies.
@NullMarked
package io.rigmesh.worker.tokenizer;

import org.jspecify.annotations.NullMarked;
