package io.rigmesh.node.config;

import java.nio.file.Path;

/// The REST interface.
///
/// @param host the address to listen on
/// @param port the TCP port, 0 for any free one
/// @param tokenFile the file of the bearer token
/// @param requestBytesMax the most bytes of a job or of a request of OpenAI's interface; other
///   requests have bounds of their own
/// @param eventStreamsMax the most event streams open at once
public record RestConfig(
    @Setting(value = "127.0.0.1", help = "Address to listen on; loopback unless told otherwise.")
        String host,
    @Setting(value = "7070", help = "TCP port to listen on; 0 for any free one.") int port,
    @Setting(
            value = "rest-token",
            help = "File of the bearer token; written with mode 0600 on the first start.")
        Path tokenFile,
    @Setting(value = "1048576", help = "Most bytes of a job or of a request of OpenAI's interface.")
        int requestBytesMax,
    @Setting(value = "256", help = "Most event streams open at once.") int eventStreamsMax) {}
