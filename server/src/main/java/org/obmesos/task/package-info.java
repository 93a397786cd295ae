// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The nouns: what a user asked to run ({@link org.obmesos.task.Block}), what became of it ({@link
 * org.obmesos.task.Task}) and the values they are made of. All are immutable and checked where they
 * are made, so that no other room checks again. This room imports no other.
 */
package org.obmesos.task;
