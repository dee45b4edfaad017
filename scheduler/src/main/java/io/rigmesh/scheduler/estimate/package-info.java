/// How much memory and time a job will want, reckoned before it runs.
@NullMarked
package io.rigmesh.scheduler.estimate;

import org.jspecify.annotations.NullMarked;
