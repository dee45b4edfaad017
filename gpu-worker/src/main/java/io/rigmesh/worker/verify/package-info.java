/// Recomputes what a receipt claims, as much of it as asked, and names the first step that differs.
@NullMarked
package io.rigmesh.worker.verify;

import org.jspecify.annotations.NullMarked;
