// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The SQLite database: the framework id, tasks with their results, and posted documents. Operations
 * are asynchronous, and those that wait together share a transaction. {@link
 * org.obmesos.store.StateDirectory} makes sure that one server at a time uses a database.
 */
package org.obmesos.store;
