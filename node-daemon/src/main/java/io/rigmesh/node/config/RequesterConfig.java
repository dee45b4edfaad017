package io.rigmesh.node.config;

import java.nio.file.Path;
import java.util.Optional;

/// Asking others.
///
/// @param providerUrl the REST address of the provider that jobs go to
/// @param providerTokenFile the file of the bearer token for it
/// @param providerTimeoutSeconds how long one request to it may take, streams and uploads aside
public record RequesterConfig(
    @Setting(
            value = "",
            help = "REST address of the provider that jobs go to, such as http://127.0.0.1:7071.")
        Optional<String> providerUrl,
    @Setting(value = "", help = "File of the bearer token for that provider.")
        Optional<Path> providerTokenFile,
    @Setting(value = "30", help = "How long one request to it may take, streams and uploads aside.")
        int providerTimeoutSeconds) {}
