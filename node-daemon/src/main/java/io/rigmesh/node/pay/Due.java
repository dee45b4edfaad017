package io.rigmesh.node.pay;

import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.TokenAmount;

/// What a job owes so far.
///
/// @param meter what it has used
/// @param amount what that costs; what was paid already is not taken off
public record Due(Meter meter, TokenAmount amount) {}
