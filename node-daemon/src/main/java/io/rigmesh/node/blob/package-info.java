/// Files by content: blobs and folders, checked chunk by chunk while they are written.
@NullMarked
package io.rigmesh.node.blob;

import org.jspecify.annotations.NullMarked;
