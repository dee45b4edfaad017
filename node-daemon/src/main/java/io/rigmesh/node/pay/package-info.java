/// What travels on a job's stream about its money: tariffs, what is due, vouchers.
@NullMarked
package io.rigmesh.node.pay;

import org.jspecify.annotations.NullMarked;
