// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What all clients share: the messages ({@link org.obmesos.api.Messages}), their conversion from
 * and to the domain records, and the table of header arguments ({@link
 * org.obmesos.api.HeaderArgumentTable}). This package does not know how messages are transported.
 */
package org.obmesos.api;
