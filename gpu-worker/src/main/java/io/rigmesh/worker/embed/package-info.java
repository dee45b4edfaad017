/// Sentence embeddings: pooling, normalisation and batching over the BERT encoder, and the import
/// of embedding models.
@NullMarked
package io.rigmesh.worker.embed;

import org.jspecify.annotations.NullMarked;
