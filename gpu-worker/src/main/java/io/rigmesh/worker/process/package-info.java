/// The worker process: one JVM that serves one device over gRPC on a Unix domain socket, and the
/// client and command line with which the daemon starts and uses it.
@NullMarked
package io.rigmesh.worker.process;

import org.jspecify.annotations.NullMarked;
