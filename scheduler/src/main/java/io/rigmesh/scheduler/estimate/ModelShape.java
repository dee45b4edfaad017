package io.rigmesh.scheduler.estimate;

import io.rigmesh.protocol.Task;

/// The size of a model, as far as memory and time depend on it.
///
/// @param parameters how many numbers its weights are
/// @param layers its layers
/// @param dim width of the residual stream
/// @param kvDim width of the keys of one layer, and of its values
/// @param ffnDim inner width of the feed-forward layers
/// @param vocabulary entries of its tokenizer
public record ModelShape(
    long parameters, int layers, int dim, int kvDim, int ffnDim, int vocabulary) {

  /// The shape of a new Llama-architecture model with tied embeddings.
  public static ModelShape of(Task.Architecture a) {
    int kvDim = a.dim() / a.heads() * a.kvHeads();
    // Per layer: queries and output dim*dim each, keys and values dim*kvDim each, three
    // feed-forward
    // matrices, two norms. Around them one embedding, tied, and the last norm.
    long layer =
        2L * a.dim() * a.dim() + 2L * a.dim() * kvDim + 3L * a.dim() * a.ffnDim() + 2L * a.dim();
    long parameters = a.layers() * layer + (long) a.vocabulary() * a.dim() + a.dim();
    return new ModelShape(parameters, a.layers(), a.dim(), kvDim, a.ffnDim(), a.vocabulary());
  }
}
