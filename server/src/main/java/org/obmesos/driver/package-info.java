// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The connection to a master. The interfaces are {@code Mesos} and {@code Scheduler} of the Java
 * bindings, extended in {@link org.obmesos.driver.SchedulerDriver}. This package does not know
 * blocks or Emacs.
 */
package org.obmesos.driver;
