// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Helpers without domain knowledge: private files, named executors, exponential backoff. Every
 * other package may use them; they import nothing of this project.
 */
package org.obmesos.util;
