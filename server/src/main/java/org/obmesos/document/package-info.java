// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Org documents as text: the source blocks in one and what they ask for, the same document with
 * results in it, and a page made of it. It is what a document needs that comes from somebody else:
 * nothing in one is evaluated, for there is nothing here that could. Org itself, in Emacs, does all
 * of this better for a document that is the user's own.
 */
package org.obmesos.document;
