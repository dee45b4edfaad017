/// Folders of models: how large they are, what they are for, and which this node offers.
@NullMarked
package io.rigmesh.node.models;

import org.jspecify.annotations.NullMarked;
