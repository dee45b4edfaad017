package io.rigmesh.worker.serve;

/// How an engine stands, and what it did since it was made.
///
/// @param running sequences in the model
/// @param waiting sequences that wait for pages or a place
/// @param pages the pool's pages
/// @param pagesHeld those that sequences hold
/// @param pagesKept those that are kept for sequences to come; as good as free
/// @param steps steps run
/// @param rows rows computed in them
/// @param promptTokensShared prompt tokens that were not computed, since their pages were there
public record EngineStats(
    int running,
    int waiting,
    int pages,
    int pagesHeld,
    int pagesKept,
    long steps,
    long rows,
    long promptTokensShared) {}
