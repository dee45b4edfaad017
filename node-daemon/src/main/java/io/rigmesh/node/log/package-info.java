/// The log: text for people or JSON for programs, on standard error, repeated warnings counted
/// instead of repeated.
@NullMarked
package io.rigmesh.node.log;

import org.jspecify.annotations.NullMarked;
