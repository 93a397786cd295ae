// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * A master to talk to. The one seam is the Java bindings' own {@code Mesos} and {@code Scheduler},
 * widened in {@link org.obmesos.driver.SchedulerDriver} by what they lack. Nothing here knows of
 * tasks or of Emacs.
 */
package org.obmesos.driver;
