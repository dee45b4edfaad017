package io.rigmesh.worker.serve;

import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.generate.TokenHistory;

/// A token that is to be chosen from one row of a step's results.
///
/// @param output which of the rows that want a result, from 0
/// @param parameters how it is chosen
/// @param history the tokens before it
/// @param position its absolute position in its sequence
public record Draw(int output, SamplingParameters parameters, TokenHistory history, int position) {}
