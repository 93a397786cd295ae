// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The domain records: {@link org.obmesos.task.Block} is what a user submitted, {@link
 * org.obmesos.task.Task} is a block with its current state. All are immutable and validated in
 * their constructors, so no other package validates again. This package imports only {@code util}.
 */
package org.obmesos.task;
