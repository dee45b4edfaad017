/// Settings: one record per concern, read from defaults, a YAML file, the environment and flags,
/// each value with its source.
@NullMarked
package io.rigmesh.node.config;

import org.jspecify.annotations.NullMarked;
