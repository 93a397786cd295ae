// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * What must survive a crash: the framework's id, the tasks and their results, in one SQLite file.
 * Writing is asynchronous and grouped: all that waits goes into one transaction, and a future tells
 * when it is safe. {@link org.obmesos.store.StateDirectory} sees to it that one server at a time
 * has the file.
 */
package org.obmesos.store;
