package io.rigmesh.node.config;

/// Guarding channels of others.
///
/// @param channelsMax how many channels that are not closed are taken; 0 takes none
public record WatchtowerConfig(
    @Setting(
            value = "256",
            help =
                "How many channels of others this node guards at most, paying the gas; 0 for none.")
        int channelsMax) {}
