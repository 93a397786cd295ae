// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Org documents as text: finds source blocks and their header arguments, inserts results, and
 * renders a document as HTML. For documents of other people: Org evaluates Lisp in many places of a
 * document, and nothing here evaluates anything.
 */
package org.obmesos.document;
