;;; ob-mesos-graph.el --- Blocks and what they need from each other  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The blocks and calls that are to run are collected into a graph before
;; any of them is executed.  A node keeps what Org has parsed of its block
;; or call, and its edges are the references in `:var', `:stdin',
;; `:foreach' and `:after' that lead to other blocks of the document.  The
;; graph is sorted, so each block is submitted after those it needs.

;;; Code:

(require 'cl-lib)
(require 'seq)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-lob)
(require 'ob-ref)
(require 'ob-mesos-task)

(cl-defstruct (ob-mesos--graph (:constructor ob-mesos--graph-make)
                               (:copier nil))
  "The blocks and calls of a buffer that are to run, with what they need."
  (buffer nil :documentation "The buffer.")
  (items nil :documentation "The nodes that run for their own sake, in order.")
  (order nil :documentation "All nodes, each after those it needs.")
  (replaced nil :documentation "Nodes whose tasks are to be killed, (NODE . TASK) each.")
  (names nil :documentation "The named elements by their names, or nil.")
  (nodes (make-hash-table :test #'equal)
         :documentation "The nodes by what identifies them.")
  (sections nil :documentation "Markers at the headings, a vector, in order.")
  (properties (make-hash-table :test #'equal)
              :documentation "Header arguments from properties, by section.")
  (called (make-hash-table :test #'equal)
          :documentation "Org's infos of the blocks that calls name, by name.")
  (keywords (make-hash-table :test #'equal)
            :documentation "What keywords of the document say.")
  (unsent nil :documentation "The tasks that are not submitted, the latest first.")
  (confirmed nil :documentation "Non-nil if the user has agreed to all of it.")
  (reuse nil :documentation "Whether results are reused; see `ob-mesos--reuse-mode'.")
  (error nil :documentation "Why it was given up, a string, or nil.")
  (start (float-time) :documentation "When it was made."))

(cl-defstruct (ob-mesos--node (:constructor ob-mesos--node-make)
                              (:copier ob-mesos--node-copy))
  "A block or call that is to run."
  (graph nil :documentation "The graph.")
  (element nil :documentation "What Org has parsed.")
  (light nil :documentation "Org's info of it, Lisp in it not evaluated, once made.")
  (marker nil :documentation "Where that begins now.")
  (beginning nil :documentation "The text it begins with.")
  (arguments nil :documentation "More header arguments, from a reference to it.")
  (item nil :documentation "Non-nil if it runs for its own sake and has a place.")
  (cluster nil :documentation "Non-nil if it runs on the cluster.")
  (references nil :documentation "What it refers to, (TEXT NODE . INDEX) each.")
  (needs nil :documentation "The nodes it needs.")
  (done nil :documentation "Non-nil once it was executed.")
  (task nil :documentation "Its task, or nil if it needs none."))

;;;; What Org has parsed

(defun ob-mesos--element-begin (element)
  "Return where ELEMENT begins, without the keywords above it."
  (or (org-element-property :post-affiliated element)
      (org-element-property :begin element)))

(defun ob-mesos--inline-p (element)
  "Return non-nil if ELEMENT stands within a line."
  (memq (org-element-type element) '(inline-src-block inline-babel-call)))

(defun ob-mesos--executable-p (element)
  "Return non-nil if ELEMENT is a block or a call."
  (memq (org-element-type element)
        '(src-block babel-call inline-src-block inline-babel-call)))

(defun ob-mesos--on-cluster-p (params)
  "Return non-nil if PARAMS say that a block is for the cluster."
  (equal (cdr (assq :mesos params)) "yes"))

(defun ob-mesos--cluster-info-p (info)
  "Return non-nil if the block or call with INFO, Org's, is for the cluster."
  (or (equal (nth 0 info) "mesos")
      (ob-mesos--on-cluster-p (nth 2 info))))

(defun ob-mesos--section (graph)
  "Return the index of the section of GRAPH that point is in, or -1."
  (let* ((sections (ob-mesos--graph-sections graph))
         (low -1) (high (length sections)))
    (while (< (1+ low) high)
      (let ((middle (/ (+ low high) 2)))
        (if (<= (aref sections middle) (point))
            (setq low middle)
          (setq high middle))))
    low))

(defun ob-mesos--properties (graph lang no-eval)
  "Return the header arguments for LANG that properties give at point.
GRAPH remembers them for each section; with NO-EVAL, Lisp in them is not
evaluated.  Where there is Lisp, it is evaluated each time."
  (if (null (ob-mesos--graph-sections graph))
      (org-babel-params-from-properties lang no-eval)
    (let* ((table (ob-mesos--graph-properties graph))
           (key (cons (ob-mesos--section graph) lang))
           (found (gethash key table)))
      (unless found
        (let ((light (org-babel-params-from-properties lang t)))
          (setq found (cons light (and (not no-eval)
                                       (equal light (org-babel-params-from-properties
                                                     lang nil)))))
          (puthash key found table)))
      (cond ((or no-eval (eq (cdr found) t)) (copy-tree (car found)))
            (t (let ((value (org-babel-params-from-properties lang nil)))
                 (when (equal value (car found))
                   (setcdr found t))
                 value))))))

(defun ob-mesos--parse-arguments (texts no-eval)
  "Parse TEXTS, strings with header arguments; with NO-EVAL without Lisp."
  (mapcar (lambda (text) (org-babel-parse-header-arguments text no-eval)) texts))

(defun ob-mesos--default-arguments ()
  "Return Org's default header arguments, without `:cache no'.
So that of a block is known to be the user's."
  (remove '(:cache . "no") org-babel-default-header-args))

(defun ob-mesos--called (graph name)
  "Return Org's info of the block NAME, which a call of GRAPH names."
  (let ((table (ob-mesos--graph-called graph)))
    (when (eq 'unknown (gethash name table 'unknown))
      (puthash name
               (let ((org-babel-default-header-args (ob-mesos--default-arguments)))
                 (org-babel-lob--src-info name))
               table))
    (copy-tree (gethash name table))))

(defun ob-mesos--node-info (node no-eval)
  "Return Org's info of NODE, its references not resolved.
That is as `org-babel-get-src-block-info' and `org-babel-lob-get-info'
return it, in copies.  With NO-EVAL, Lisp in it is not evaluated; that
is done once."
  (if no-eval
      (or (ob-mesos--node-light node)
          (setf (ob-mesos--node-light node) (ob-mesos--make-info node t)))
    (ob-mesos--make-info node nil)))

(defun ob-mesos--make-info (node no-eval)
  "Return Org's info of NODE; NO-EVAL is as for `ob-mesos--node-info'."
  (let ((element (ob-mesos--node-element node)))
    (org-with-wide-buffer
     (goto-char (ob-mesos--node-marker node))
     (let ((info (if (memq (org-element-type element) '(src-block inline-src-block))
                     (ob-mesos--block-info node no-eval)
                   (ob-mesos--call-info node no-eval))))
       (when info
         (setf (nth 2 info)
               (copy-tree
                (if (ob-mesos--node-arguments node)
                    (org-babel-merge-params (nth 2 info)
                                            (ob-mesos--node-arguments node))
                  (nth 2 info)))))
       info))))

(defun ob-mesos--block-info (node no-eval)
  "Return Org's info of NODE, a block, at point.
NO-EVAL is as for `ob-mesos--node-info'."
  (let* ((element (ob-mesos--node-element node))
         (inline (ob-mesos--inline-p element))
         (lang (org-element-property :language element))
         (defaults (intern (concat "org-babel-default-header-args:" lang))))
    (list lang
          (org-babel--normalize-body element)
          (org-babel-generate-file-param
           (org-element-property :name element)
           (apply #'org-babel-merge-params
                  (if inline org-babel-default-inline-header-args
                    (ob-mesos--default-arguments))
                  (and (boundp defaults) (eval defaults t))
                  (append
                   (ob-mesos--properties (ob-mesos--node-graph node) lang no-eval)
                   (ob-mesos--parse-arguments
                    (cons (org-element-property :parameters element)
                          (org-element-property :header element))
                    no-eval))))
          (or (org-element-property :switches element) "")
          (org-element-property :name element)
          (point)
          ;; As `org-src-coderef-format', which parses the section again.
          (and (not inline)
               (or (org-element-property :label-fmt element)
                   org-coderef-label-format)))))

(defun ob-mesos--call-info (node no-eval)
  "Return Org's info of NODE, a call, at point, or nil if its block is missing.
NO-EVAL is as for `ob-mesos--node-info'."
  (let* ((element (ob-mesos--node-element node))
         (graph (ob-mesos--node-graph node))
         (called (ob-mesos--called graph (org-element-property :call element)))
         (arguments (org-element-property :arguments element)))
    (when called
      (list (nth 0 called)
            (nth 1 called)
            (apply #'org-babel-merge-params
                   (nth 2 called)
                   org-babel-default-lob-header-args
                   (append
                    (ob-mesos--properties graph (nth 0 called) no-eval)
                    (ob-mesos--parse-arguments
                     (list (org-element-property :inside-header element)) no-eval)
                    (list (and arguments
                               (mapcar (lambda (text) (cons :var text))
                                       (org-babel-ref-split-args arguments))))
                    (ob-mesos--parse-arguments
                     (list (org-element-property :end-header element)) no-eval)))
            nil
            (org-element-property :name element)
            (point)
            (nth 6 called)))))

;;;; Keywords

(defvar ob-mesos--keywords nil
  "While the nodes of a graph are executed, what keywords say, a table.")

(defun ob-mesos--document-keyword (regexp)
  "The value of the first keyword of this document that REGEXP matches, or nil."
  (if (null ob-mesos--keywords)
      (ob-mesos--find-keyword regexp)
    (let* ((key (cons (current-buffer) regexp))
           (known (gethash key ob-mesos--keywords 'none)))
      (if (eq known 'none)
          (puthash key (ob-mesos--find-keyword regexp) ob-mesos--keywords)
        known))))

(defun ob-mesos--find-keyword (regexp)
  "Return the value of the first keyword of this document that REGEXP matches.
Text of an example block is no keyword."
  (when (derived-mode-p 'org-mode)
    (org-with-wide-buffer
     (goto-char (point-min))
     (let ((case-fold-search t)
           (keyword (format "^[ \t]*#\\+\\(?:%s\\):[ \t]*\\(\\S-+\\)" regexp)))
       (cl-loop while (re-search-forward keyword nil t)
                for value = (match-string-no-properties 1)
                when (save-match-data
                       (eq 'keyword (org-element-type
                                     (save-excursion (beginning-of-line)
                                                     (org-element-at-point)))))
                return value)))))

(defconst ob-mesos--master-keyword "master\\|mesos_master"
  "Matches the keywords by which a document names its master.")

(defun ob-mesos--document-master ()
  "The master this document names, or `ob-mesos-master'."
  (or (ob-mesos--document-keyword ob-mesos--master-keyword) ob-mesos-master))

;;;; Nodes

(defun ob-mesos--node (graph element)
  "Return the node of GRAPH for ELEMENT, a block or call of its buffer."
  (let* ((begin (ob-mesos--element-begin element))
         (nodes (ob-mesos--graph-nodes graph)))
    (or (gethash begin nodes)
        (save-excursion
          (goto-char begin)
          (let ((node (ob-mesos--node-make
                       :graph graph :element element
                       :marker (copy-marker (point) t)
                       :beginning
                       (buffer-substring-no-properties
                        (point) (if (ob-mesos--inline-p element)
                                    (min (point-max) (+ (point) 5))
                                  (line-end-position))))))
            (puthash begin node nodes)
            node)))))

(defun ob-mesos--node-name (node)
  "Return how to name NODE to the user."
  (let ((element (ob-mesos--node-element node)))
    (or (org-element-property :name element)
        (org-element-property :call element)
        (format "line %d" (ob-mesos--node-line node)))))

(defun ob-mesos--node-line (node)
  "Return the number of the line that NODE begins in."
  (with-current-buffer (marker-buffer (ob-mesos--node-marker node))
    (line-number-at-pos (ob-mesos--node-marker node) t)))

(defun ob-mesos--node-gone-p (node)
  "Return non-nil if NODE is not in the buffer any more.
It can have been a part of the results of another."
  (let ((buffer (marker-buffer (ob-mesos--node-marker node))))
    (or (null buffer)
        (with-current-buffer buffer
          (org-with-wide-buffer
           (goto-char (ob-mesos--node-marker node))
           (not (looking-at-p (regexp-quote (ob-mesos--node-beginning node)))))))))

(defun ob-mesos--named-element (graph name)
  "Return the element of the buffer of GRAPH that is named NAME, or nil.
Org, too, takes the first one that is not below a commented heading."
  (if-let ((names (ob-mesos--graph-names graph)))
      (gethash name names)
    (org-with-wide-buffer
     (goto-char (point-min))
     (let ((case-fold-search t)
           (regexp (org-babel-named-data-regexp-for-name name)))
       (catch 'found
         (while (re-search-forward regexp nil t)
           (unless (org-in-commented-heading-p)
             (let ((element (org-element-at-point)))
               (when (equal name (org-element-property :name element))
                 (throw 'found element))))))))))

;;;; References

(defun ob-mesos--parse-reference (text)
  "Return the parts of the reference TEXT, (NAME HEADER ARGUMENTS INDEX).
Return nil if TEXT is a literal value.  The rules are those of
`org-babel-ref-parse' and `org-babel-ref-resolve'."
  (when (and (stringp text)
             (not (string-match-p "\\`[ \t]*\\(?:[('`[\"]\\|\\*this\\*\\|\\'\\)" text))
             (equal text (org-babel-read text t)))
    (let (index header arguments)
      (when (and (string-match "\\[\\([^\\[]+\\)\\]\\'" text)
                 (let ((before (substring text 0 (match-beginning 0))))
                   (= (cl-count ?\( before) (cl-count ?\) before))))
        (setq index (match-string 1 text)
              text (substring text 0 (match-beginning 0))))
      (when (string-match
             "\\`\\(.+?\\)\\(?:\\[\\(.*\\)\\]\\|\\)(\\(\\(?:.\\|\n\\)*\\))\\'" text)
        (setq header (match-string 2 text)
              arguments (match-string 3 text)
              text (match-string 1 text)))
      (list text header arguments index))))

(defun ob-mesos--assignment (text)
  "Return the name and the value of TEXT, such as \"name=value\", as a cons."
  (and (stringp text)
       (string-match "\\`\\(.+?\\)=[ \t]*\\(\\(?:.\\|\n\\)+\\)\\'" text)
       (cons (org-trim (match-string 1 text)) (match-string 2 text))))

(defun ob-mesos--blank-p (text)
  "Return non-nil if TEXT is nil or has no more than white space."
  (or (null text) (string-blank-p text)))

(defun ob-mesos--referred-node (graph text)
  "Return the node of GRAPH that the reference TEXT leads to, and its index.
Return (NODE . INDEX), or nil if it leads to something else than a block
or call of the buffer."
  (pcase-let ((`(,name ,header ,arguments ,index) (ob-mesos--parse-reference text)))
    (when-let ((element (and name (ob-mesos--named-element graph name))))
      (when (memq (org-element-type element) '(src-block babel-call))
        (let ((node (ob-mesos--node graph element))
              (nodes (ob-mesos--graph-nodes graph))
              (key (list name header arguments)))
          (cons (if (and (ob-mesos--blank-p header) (ob-mesos--blank-p arguments))
                    node
                  (or (gethash key nodes)
                      (let ((copy (ob-mesos--node-copy node)))
                        (setf (ob-mesos--node-item copy) nil
                              (ob-mesos--node-light copy) nil
                              (ob-mesos--node-done copy) nil
                              (ob-mesos--node-task copy) nil
                              (ob-mesos--node-references copy) nil
                              (ob-mesos--node-needs copy) nil
                              (ob-mesos--node-arguments copy)
                              (append
                               (and (not (ob-mesos--blank-p header))
                                    (org-babel-parse-header-arguments header t))
                               (and (not (ob-mesos--blank-p arguments))
                                    (mapcar (lambda (text) (cons :var text))
                                            (org-babel-ref-split-args arguments)))))
                        (puthash key copy nodes))))
                index))))))

(defun ob-mesos--after-names (params)
  "Return the names of the blocks that PARAMS name in `:after' or `:requires'."
  (let ((value (or (cdr (assq :after params)) (cdr (assq :requires params)))))
    (and value (split-string (format "%s" value) "[][(), \t\n]+" t))))

(defun ob-mesos--reference-texts (params)
  "Return the references of PARAMS that lead to values, as texts."
  (delq nil
        (append
         (cl-loop for (name . value) in params
                  when (eq name :var) collect (cdr (ob-mesos--assignment value)))
         (list (cdr (ob-mesos--assignment (cdr (assq :foreach params))))
               (ob-mesos--stdin-reference params)))))

;;;; The graph

(defun ob-mesos--expand-node (node after)
  "Find out what NODE needs, and whether it is for the cluster.
AFTER is called with the graph and a name in `:after', and returns the
node to wait for, or nil."
  (let* ((graph (ob-mesos--node-graph node))
         (info (ob-mesos--node-info node t))
         (params (nth 2 info)))
    (setf (ob-mesos--node-cluster node)
          (ob-mesos--cluster-info-p info))
    (dolist (text (ob-mesos--reference-texts params))
      (when-let ((found (ob-mesos--referred-node graph text)))
        (push (cons text found) (ob-mesos--node-references node))
        (push (car found) (ob-mesos--node-needs node))))
    (when (ob-mesos--node-cluster node)
      (dolist (name (ob-mesos--after-names params))
        (when-let ((other (funcall after graph name)))
          (push other (ob-mesos--node-needs node)))))
    (setf (ob-mesos--node-needs node)
          (delete-dups (nreverse (ob-mesos--node-needs node))))))

(defun ob-mesos--sort-graph (graph after)
  "Find out what the items of GRAPH need, and sort it.
AFTER is as for `ob-mesos--expand-node'.  Signal a `user-error' that
names a circle if there is one."
  (let ((state (make-hash-table :test #'eq))
        order)
    (dolist (item (ob-mesos--graph-items graph))
      (let ((stack (list item)))
        (while stack
          (let ((node (car stack)))
            (pcase (gethash node state)
              ('nil
               (puthash node 'open state)
               (ob-mesos--expand-node node after)
               (dolist (need (reverse (ob-mesos--node-needs node)))
                 (pcase (gethash need state)
                   ('nil (push need stack))
                   ('open (ob-mesos--signal-circle node need)))))
              ('open
               (puthash node 'closed state)
               (push node order)
               (pop stack))
              (_ (pop stack)))))))
    (setf (ob-mesos--graph-order graph) (nreverse order))))

(defun ob-mesos--signal-circle (from to)
  "Signal that FROM needs TO, and TO, directly or not, FROM."
  (let ((seen (make-hash-table :test #'eq))
        (paths (list (list to))))
    (while (and paths (not (eq from (caar paths))))
      (let ((path (pop paths)))
        (unless (gethash (car path) seen)
          (puthash (car path) t seen)
          (dolist (need (ob-mesos--node-needs (car path)))
            (setq paths (nconc paths (list (cons need path))))))))
    (user-error "Blocks wait for each other in a circle: %s"
                (mapconcat (lambda (node)
                             (format "%s (line %d)" (ob-mesos--node-name node)
                                     (ob-mesos--node-line node)))
                           (reverse (cons to (car paths)))
                           " -> "))))

(defun ob-mesos--inline-objects (beg end)
  "Return what can be executed within lines, from BEG to END.
Org is asked about those places only where one can be."
  (org-with-wide-buffer
   (goto-char beg)
   (cl-loop while (re-search-forward "\\_<\\(?:src\\|call\\)_[^ \t\n]" end t)
            for object = (save-excursion
                         (goto-char (match-beginning 0))
                         (org-element-context))
            when (ob-mesos--inline-p object) collect object)))

(defun ob-mesos--collect-graph (beg end wanted)
  "Make the graph of what is between BEG and END in this buffer.
The buffer is parsed once.  Its items are those nodes for which WANTED
returns non-nil, called with point at the node and the node.  The graph
is not sorted yet."
  (org-with-wide-buffer
   (let* ((tree (org-element-parse-buffer 'element))
          (names (make-hash-table :test #'equal))
          (graph (ob-mesos--graph-make :buffer (current-buffer) :names names))
          sections elements)
     (org-element-map tree '(headline src-block babel-call table plain-list
                             fixed-width example-block verse-block quote-block
                             special-block paragraph export-block)
       (lambda (element)
         (if (eq (org-element-type element) 'headline)
             (push (copy-marker (org-element-property :begin element)) sections)
           (let ((name (org-element-property :name element)))
             (when (and name (not (gethash name names))
                        (not (ob-mesos--commented-p element)))
               (puthash name element names)))
           (when (memq (org-element-type element) '(src-block babel-call))
             (push element elements)))))
     (setf (ob-mesos--graph-sections graph) (vconcat (nreverse sections)))
     (setq elements (sort (append (nreverse elements)
                                  (ob-mesos--inline-objects beg end))
                          (lambda (a b) (< (ob-mesos--element-begin a)
                                           (ob-mesos--element-begin b)))))
     (dolist (element elements)
       (let ((begin (ob-mesos--element-begin element)))
         (when (and (<= beg begin) (< begin end))
           (let ((node (ob-mesos--node graph element)))
             (goto-char begin)
             (when (funcall wanted node)
               (setf (ob-mesos--node-item node) t)
               (push node (ob-mesos--graph-items graph)))))))
     (setf (ob-mesos--graph-items graph) (nreverse (ob-mesos--graph-items graph)))
     graph)))

(defun ob-mesos--commented-p (element)
  "Return non-nil if ELEMENT of a parsed buffer is below a commented heading.
It must have its parents, which an object from `org-element-context' has
not.  `org-in-commented-heading-p' would search the heading for each
block of a section again."
  (let ((parent (org-element-property :parent element)))
    (while (and parent (not (and (eq (org-element-type parent) 'headline)
                                 (org-element-property :commentedp parent))))
      (setq parent (org-element-property :parent parent)))
    parent))

(defun ob-mesos--release-graph (graph)
  "Release the markers of GRAPH, but for those of its tasks."
  (maphash (lambda (_ node)
             (let ((task (ob-mesos--node-task node))
                   (marker (ob-mesos--node-marker node)))
               (unless (and task (eq marker (ob-mesos-task-block-marker task)))
                 (set-marker marker nil))))
           (ob-mesos--graph-nodes graph))
  (mapc (lambda (marker) (set-marker marker nil)) (ob-mesos--graph-sections graph)))

(provide 'ob-mesos-graph)
;;; ob-mesos-graph.el ends here
