/// Serving: one model step over many sequences at once, the pages of their keys and values, and the
/// engine that lets sequences join and leave between steps.
@NullMarked
package io.rigmesh.worker.serve;

import org.jspecify.annotations.NullMarked;
