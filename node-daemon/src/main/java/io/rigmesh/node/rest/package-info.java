/// The daemon's REST interface: routes, their limits, authentication, errors and event streams.
/// What it promises is written down in openapi.yaml, and a test holds the two together.
@NullMarked
package io.rigmesh.node.rest;

import org.jspecify.annotations.NullMarked;
