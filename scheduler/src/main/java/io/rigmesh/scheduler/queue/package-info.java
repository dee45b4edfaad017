/// Who runs where and when: admission, the queue of each device, and leases that end by themselves.
@NullMarked
package io.rigmesh.scheduler.queue;

import org.jspecify.annotations.NullMarked;
