/// Decides what runs where and when: capacity, admission, queue. Pure decisions; time and
/// randomness are handed in.
@NullMarked
package io.rigmesh.scheduler;

import org.jspecify.annotations.NullMarked;
