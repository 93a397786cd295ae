;;; ob-mesos-execute.el --- Execute the nodes of a graph  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Executes the nodes of a graph.  A node that the user executes gets a
;; placeholder, which its result replaces later; a node whose value another
;; node uses returns a promise of the value.  If Org itself calls
;; `org-babel-execute:mesos', there is no graph, and Emacs waits for values.

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-mesos-graph)
(require 'ob-mesos-submit)

;;;; Nodes

(defun ob-mesos--promise-reference (node text)
  "Return a promise for the reference TEXT of NODE, or nil if Org resolves it."
  (when-let ((found (cdr (assoc text (ob-mesos--node-references node)))))
    (when-let ((task (ob-mesos--node-task (car found))))
      (ob-mesos--promise task (cdr found)))))

(defun ob-mesos--with-promises (node params)
  "Return PARAMS of NODE with promises in the place of references to tasks."
  (mapcar
   (lambda (argument)
     (pcase argument
       (`(,(and name (or :var :foreach)) . ,(and (pred stringp) text))
        (let* ((assignment (ob-mesos--assignment text))
               (promise (and assignment
                             (ob-mesos--promise-reference node (cdr assignment)))))
          (if promise
              (cons name (cons (intern (car assignment)) promise))
            argument)))
       (_ argument)))
   (append params (ob-mesos--stdin-promise node params))))

(defun ob-mesos--stdin-promise (node params)
  "Return a header argument with a promise of what `:stdin' of PARAMS refers to.
Return nil if that leads to no task of NODE."
  (when-let ((ref (ob-mesos--stdin-reference params))
             (promise (ob-mesos--promise-reference node ref)))
    (list (cons :stdin-value promise))))

(defun ob-mesos--confirm-node (node info)
  "Return non-nil if NODE with INFO is to be executed.
Signal a `user-error' if the user declines."
  (and (org-babel-check-evaluate info)
       (or (ob-mesos--graph-confirmed (ob-mesos--node-graph node))
           (condition-case nil
               (org-babel-confirm-evaluate info)
             ;; A batch Emacs without input cannot ask.
             (end-of-file nil))
           (user-error "%s is not run" (ob-mesos--node-name node)))))

(defun ob-mesos--check-node (node)
  "Signal a `user-error' if NODE cannot be submitted with its header."
  (when (and (ob-mesos--node-cluster node) (not (ob-mesos--node-done node)))
    (org-with-wide-buffer
     (goto-char (ob-mesos--node-marker node))
     (let* ((info (ob-mesos--node-info node t))
            (params (nth 2 info))
            (ob-mesos--keywords (ob-mesos--graph-keywords (ob-mesos--node-graph node))))
       (ob-mesos--check-params (nth 0 info) (nth 1 info) params)
       (ob-mesos--master params)
       ;; Lisp in the header is evaluated when the block is executed, and
       ;; secrets are asked for then.
       (unless (cl-some (lambda (argument)
                          (and (stringp (cdr argument))
                               (string-match-p "\\`[(`']" (cdr argument))))
                        params)
         (ob-mesos--resources (cl-remove :secret params :key #'car)))))))

(defun ob-mesos--check-graph (graph)
  "Signal a `user-error' if a node of GRAPH cannot be submitted.
It names the node unless that is the only item.  This is found out before
anything changes."
  (dolist (node (ob-mesos--graph-order graph))
    (condition-case err
        (ob-mesos--check-node node)
      (user-error
       (if (and (eq node (car (ob-mesos--graph-items graph)))
                (null (cdr (ob-mesos--graph-items graph))))
           (signal (car err) (cdr err))
         (user-error "%s: %s" (ob-mesos--node-name node) (error-message-string err)))))))

(defun ob-mesos--check-params (lang body params)
  "Signal a `user-error' if BODY, of LANG, with PARAMS cannot be a task."
  (let ((dir (cdr (assq :dir params))))
    (when (and (stringp dir) (file-remote-p dir))
      (user-error "`:dir' is a directory on the agent; %s is a remote file name" dir)))
  (when (and (equal lang "mesos") (string-blank-p body))
    (ob-mesos--check-empty params))
  (ob-mesos--check-wanted-files params)
  (ob-mesos--check-session lang params))

(defun ob-mesos--with-program (node function)
  "Call FUNCTION with the language, the body and the parameters of NODE, at point.
Lisp in the parameters is evaluated, and noweb references in the body are
expanded.  References to tasks are promises."
  (let* ((ob-mesos--keywords (ob-mesos--graph-keywords (ob-mesos--node-graph node)))
         ;; Also for what Org executes meanwhile, such as noweb references.
         (org-babel-default-header-args (ob-mesos--default-arguments))
         (org-babel-current-src-block-location (point))
         (info (ob-mesos--node-info node nil))
         (params (org-babel-process-params
                  (ob-mesos--with-promises node (nth 2 info))))
         (body (if (org-babel-noweb-p params :eval)
                   (org-babel-expand-noweb-references info)
                 (nth 1 info))))
    (funcall function (nth 0 info) (ob-mesos--without-labels body (nth 6 info))
             params)))

(defun ob-mesos--without-labels (body format)
  "Return BODY without the labels of its lines, which are no code.
FORMAT is the format of the labels, or nil if BODY has none."
  (if format
      (replace-regexp-in-string (org-src-coderef-regexp format) "" body nil nil 1)
    body))

(defun ob-mesos--execute-node (node)
  "Execute NODE if it is for the cluster; what it needs was executed before.
Set its task."
  (unless (or (ob-mesos--node-done node)
              (not (ob-mesos--node-cluster node))
              (ob-mesos--node-gone-p node))
    (with-current-buffer (marker-buffer (ob-mesos--node-marker node))
      (org-with-wide-buffer
       (goto-char (ob-mesos--node-marker node))
       (when (ob-mesos--confirm-node node (ob-mesos--node-info node t))
         (let ((ob-mesos--graph (ob-mesos--node-graph node)))
           (ob-mesos--with-program
            node
            (lambda (lang body params)
              (ob-mesos--set-node-task
               node (ob-mesos--node-task-for node lang body params))))))))
    (setf (ob-mesos--node-done node) t)))

(defun ob-mesos--fail-node (node why)
  "Make a failed task for NODE, which cannot be executed because of WHY."
  (with-current-buffer (marker-buffer (ob-mesos--node-marker node))
    (org-with-wide-buffer
     (goto-char (ob-mesos--node-marker node))
     (pcase-let* ((`(,lang ,body ,params . ,_) (ob-mesos--node-info node t))
                  (params (org-babel-process-params
                           (cl-remove :var params :key #'car)))
                  (element (ob-mesos--node-element node))
                  (task (ob-mesos--failed-task lang body params
                                               (org-element-property :name element) why)))
       (when (ob-mesos--node-item node)
         (ob-mesos--show-placeholder task params element))
       (ob-mesos--set-node-task node task))))
  (setf (ob-mesos--node-done node) t))

(defun ob-mesos--set-node-task (node task)
  "Make TASK that of NODE; both have one marker if TASK was made at NODE.
Every change of the buffer has to move all of its markers; those of nodes
were made together, so they are close to each other in memory."
  (let ((own (ob-mesos--node-marker node))
        (marker (ob-mesos-task-block-marker task)))
    (setf (ob-mesos--node-task node) task)
    (when (and (ob-mesos--node-item node) marker (equal marker own))
      (set-marker marker nil)
      (setf (ob-mesos-task-block-marker task) own
            (ob-mesos-task-context task) own))))

(defun ob-mesos--node-task-for (node lang body params)
  "Return the task of NODE, at point, for BODY, of LANG, with PARAMS."
  (let* ((element (ob-mesos--node-element node))
         (name (org-element-property :name element))
         (after (delq nil (mapcar #'ob-mesos--node-task (ob-mesos--node-needs node)))))
    (if (ob-mesos--node-item node)
        (ob-mesos--execute lang body params element after)
      (or (ob-mesos--live-task (ob-mesos--shared-key lang body params name))
          (ob-mesos--reopened-task node)
          (ob-mesos--new-task lang body params name after)))))

(defun ob-mesos--reopened-task (node)
  "Return the running task of NODE if its document was visited again, or nil.
Such a task has no key, because the values in its program are not known.
A NODE with arguments of its own has none."
  (unless (ob-mesos--node-arguments node)
    (let ((task (ob-mesos--task-at (ob-mesos--node-marker node))))
      (and task (null (ob-mesos-task-key task)) task))))

(defun ob-mesos--marker-here-p (marker)
  "Return non-nil if MARKER is in this buffer, or in the base of it."
  (and marker (eq (marker-buffer marker)
                  (or (buffer-base-buffer) (current-buffer)))))

(defun ob-mesos--block-positions (task)
  "Return where the block or call of TASK can begin here, or nil.
Its marker is behind the indentation that it was given since, and an
inline block begins behind that of its line."
  (ob-mesos--mark-block task)
  (let ((marker (ob-mesos-task-block-marker task)))
    (when (ob-mesos--marker-here-p marker)
      (org-with-wide-buffer
       (goto-char marker)
       (skip-chars-backward " \t")
       (if (and (bolp) (/= (point) marker))
           (list (marker-position marker) (point))
         (list (marker-position marker)))))))

(defun ob-mesos--mark-block (task)
  "Set the marker at the block of TASK if its placeholder is here.
TASK has no such marker if its document is visited again.  Before the data
of TASK arrives it is not known which document that is."
  (when (and (ob-mesos-task-data task)
             (not (ob-mesos-task-done task))
             (ob-mesos--marker-here-p (ob-mesos-task-result-marker task))
             (not (ob-mesos--marker-here-p (ob-mesos-task-block-marker task))))
    (let ((origin (ob-mesos--placeholder-origin task)))
      (when (and origin (ob-mesos--marker-here-p origin))
        (set-marker-insertion-type origin t)
        (setf (ob-mesos-task-block-marker task) origin)))))

(defun ob-mesos--block-at-p (task position)
  "Return non-nil if the block or call of TASK begins at POSITION here."
  (memql (if (markerp position) (marker-position position) position)
         (ob-mesos--block-positions task)))

(defun ob-mesos--task-at (position)
  "Return the task of the block or call at POSITION that has not ended, or nil."
  (cl-loop for task being the hash-values of ob-mesos--tasks
           when (and (not (ob-mesos-task-done task))
                     (ob-mesos--block-at-p task position))
           return task))

(defun ob-mesos--named-node (graph name)
  "Return the node of GRAPH for the block NAME, which `:after' names."
  (let ((element (ob-mesos--named-element graph name)))
    (unless (and element (ob-mesos--executable-p element))
      (user-error "`:after' names %s, which is no block of this document" name))
    (ob-mesos--node graph element)))

(defun ob-mesos--after-node (graph name)
  "Return the node of GRAPH to wait for before a block that comes after NAME.
Return nil if that has a result already and is no item of GRAPH; one that
has none is executed."
  (let ((node (ob-mesos--named-node graph name)))
    (if (ob-mesos--node-item node)
        node
      (org-with-wide-buffer
       (goto-char (ob-mesos--node-marker node))
       (let ((running (ob-mesos--task-at (point))))
         (cond (running
                (setf (ob-mesos--node-task node) running
                      (ob-mesos--node-done node) t)
                node)
               ((ob-mesos--good-result-p) nil)
               (t (setf (ob-mesos--node-item node) t)
                  node)))))))

(defun ob-mesos--good-result-p ()
  "Return non-nil if the block at point has a result of a task that finished.
A placeholder is none, and neither is the report of a failure."
  (when-let ((results (org-babel-where-is-src-block-result)))
    (save-excursion
      (goto-char results)
      (forward-line 1)
      ;; Org inserts long results as example blocks.
      (when (let ((case-fold-search t))
              (looking-at-p "[ \t]*#\\+begin_example"))
        (forward-line 1))
      (let ((case-fold-search nil))
        (not (looking-at-p "[ \t]*\\(?:: \\)?mesos: ?[^ \n]+ [A-Z]+"))))))

(defun ob-mesos--submit-unsent (graph)
  "Submit the tasks of GRAPH that are not submitted yet."
  (let ((tasks (reverse (ob-mesos--graph-unsent graph))))
    (when tasks
      (setf (ob-mesos--graph-unsent graph) nil)
      (ob-mesos--submit-launched tasks))))

(defun ob-mesos--abandon-graph (graph why)
  "End the tasks of GRAPH that are not submitted, because of WHY."
  (dolist (task (ob-mesos--graph-unsent graph))
    (when (ob-mesos-task-group task)
      (ob-mesos--cancel-members (ob-mesos-task-group task)))
    (ob-mesos--refused task (concat "Not submitted, for another block cannot be: "
                                    why)))
  (setf (ob-mesos--graph-unsent graph) nil))

(defun ob-mesos--execute-element (element &optional reuse)
  "Execute ELEMENT, a block or call, and what it needs; return its task.
REUSE says whether results are reused, as for `ob-mesos--reuse-mode'.  In
a narrowed buffer the placeholder can be seen if ELEMENT can."
  (if (not (buffer-narrowed-p))
      (ob-mesos--execute-alone element reuse)
    (let* ((beg (copy-marker (point-min)))
           (end (copy-marker (point-max) t))
           (task (save-restriction
                   (widen)
                   (ob-mesos--execute-alone element reuse)))
           (place (and task (ob-mesos--place task))))
      ;; Only what stands right at the end of what can be seen.
      (when (and place
                 (save-restriction
                   (widen)
                   (save-excursion
                     (goto-char end)
                     (skip-chars-forward " \t\n")
                     (looking-at-p "[ \t]*#\\+results\\b\\|[ \t]*: mesos:"))))
        (narrow-to-region
         ;; Emacs refuses an undo outside of the accessible portion.
         beg (max end (save-restriction
                        (widen)
                        (save-excursion
                          (goto-char (cdr (ob-mesos--result-region (cdr place))))
                          ;; As `org-narrow-to-subtree'.
                          (if (looking-at-p org-outline-regexp-bol)
                              (1- (point))
                            (point)))))))
      task)))

(defun ob-mesos--execute-alone (element reuse)
  "Execute ELEMENT with REUSE; see `ob-mesos--execute-element'."
  (let* ((graph (ob-mesos--graph-make :buffer (current-buffer) :reuse reuse))
         (node (org-with-wide-buffer (ob-mesos--node graph element))))
    (setf (ob-mesos--node-item node) t
          (ob-mesos--graph-items graph) (list node))
    (ob-mesos--execute-graph graph #'ob-mesos--after-node)
    (ob-mesos--node-task node)))

(defun ob-mesos--execute-graph (graph after)
  "Execute the items of GRAPH and what they need, and submit their tasks.
AFTER is as for `ob-mesos--expand-node'."
  (unwind-protect
      (condition-case err
          (progn
            (ob-mesos--sort-graph graph after)
            (ob-mesos--check-graph graph)
            (mapc #'ob-mesos--execute-node (ob-mesos--graph-order graph))
            (ob-mesos--submit-unsent graph))
        ((error quit)
         (ob-mesos--abandon-graph graph (error-message-string err))
         (signal (car err) (cdr err))))
    (ob-mesos--release-graph graph)))

;;;; Where Org calls

;; That file requires this one.
(declare-function ob-mesos--execute-in-export "ob-mesos-export" (lang body params))

(defun ob-mesos--disable-argument (name params)
  "Let the header argument NAME have no value in the list PARAMS.
The cons of an argument can be that of the user's defaults, and stays as
it is."
  (when-let ((cell (assq name params)))
    (setcar (memq cell params) (list name))))

(defun ob-mesos--suppress-insertion (params)
  "Keep Org from inserting something for a block with PARAMS.
Org goes on, after we return, with the very list it has given us; what it
would do with a placeholder (write it into `:file', hand it to `:post',
make a table of it) is done with the result instead."
  (ob-mesos--disable-argument :file params)
  (ob-mesos--disable-argument :post params)
  (let ((result-params (cdr (assq :result-params params))))
    (when (consp result-params)
      (setcar result-params "none")
      (setcdr result-params (list "silent")))))

(defun ob-mesos--executable-here ()
  "Return the block or call at point, or nil if there is none."
  (let ((element (org-element-context)))
    (and (ob-mesos--executable-p element) element)))

(defun ob-mesos--element-here ()
  "Return the block or call that Org is executing, or nil if there is none.
That is the one at point, where Org inserts the result, too.  Org's record
of its position is a number: results that come in while references are
resolved make it that of something else."
  (and (derived-mode-p 'org-mode)
       (or (ob-mesos--executable-here)
           (save-excursion
             (goto-char (or org-babel-current-src-block-location (point)))
             (ob-mesos--executable-here)))))

(defun ob-mesos--after-tasks (params)
  "Return the tasks to wait for before a block with PARAMS; see `:after'."
  (let ((graph (ob-mesos--graph-make :buffer (current-buffer)))
        (ob-mesos--graph nil))
    (cl-loop for name in (ob-mesos--after-names params)
             for node = (ob-mesos--after-node graph name)
             for task = (and node
                             (or (ob-mesos--node-task node)
                                 (ob-mesos--execute-element
                                  (ob-mesos--node-element node))))
             when task collect task)))

(defun ob-mesos--execute-block (lang body params)
  "Run BODY, of the language LANG, on the cluster as PARAMS say, for Org.
Return its value if somebody waits for that: another block, an export, or
one who says `:wait yes'.  Else return the placeholder."
  (let* ((value (ob-mesos--quiet-p params))
         (wait (equal (cdr (assq :wait params)) "yes"))
         (element (and (not value) (not wait) (ob-mesos--element-here))))
    (cond
     ((bound-and-true-p org-babel-exp-reference-buffer)
      (ob-mesos--execute-in-export lang body params))
     (element
      (let ((task (org-with-wide-buffer
                   (goto-char (ob-mesos--element-begin element))
                   (ob-mesos--execute lang body (copy-tree params) element
                                      (ob-mesos--after-tasks params)))))
        (ob-mesos--suppress-insertion params)
        (if (ob-mesos--inline-p element)
            (ob-mesos--short-placeholder task)
          (ob-mesos--placeholder task))))
     (t
      (let ((task (ob-mesos--value-task lang body (copy-tree params))))
        (if (and wait (not value) (progn (ob-mesos--wait-for-task task)
                                         (ob-mesos-task-failed-p task)))
            (ob-mesos--report-for-org task params)
          (ob-mesos--wait-for-value task params)))))))

(defun ob-mesos--value-task (lang body params)
  "Return a task for BODY, of LANG, with PARAMS: a known or a new one.
Only what has a name is shared."
  (let ((name (and (derived-mode-p 'org-mode)
                   (org-element-property :name (org-element-at-point)))))
    (or (and name ob-mesos--graph
             (cl-loop for node in (ob-mesos--graph-order ob-mesos--graph)
                      for task = (ob-mesos--node-task node)
                      when (and task
                                (equal name (org-element-property
                                             :name (ob-mesos--node-element node)))
                                (ob-mesos--same-program-p task lang body params))
                      return task))
        (ob-mesos--live-task (ob-mesos--shared-key lang body params name))
        (ob-mesos--new-task lang body params name
                            (ob-mesos--after-tasks params)))))

(defun ob-mesos--wait-for-task (task)
  "Wait until TASK has ended; all that is collected is submitted before."
  (when ob-mesos--graph
    (ob-mesos--submit-unsent ob-mesos--graph))
  (ob-mesos--wait (lambda () (ob-mesos-task-done task))))

(define-error 'ob-mesos-stale "There is no result to reuse" 'user-error)

(defun ob-mesos--task-name (task)
  "Return the name of the block of TASK, or its id if it has none."
  (let ((name (plist-get (ob-mesos-task-block task) :name)))
    (if (member name '(nil "")) (ob-mesos-task-id task) name)))

(defun ob-mesos--wait-for-output (task)
  "Wait until all output of TASK, which has ended, is read as it was written."
  (when (and (null (ob-mesos-task-output task))
             (or (ob-mesos--cut-p task)
                 (not (or (ob-mesos-task-reused-p task) (ob-mesos--exact-p task)))))
    (let (done)
      (ob-mesos--fetch-output task (lambda (missing) (setq done (or missing t))))
      (ob-mesos--wait (lambda () done))
      (when (stringp done)
        (user-error "The output of %s cannot be read: %s"
                    (ob-mesos--task-name task) done)))))

(defvar ob-mesos--failure-is-error nil
  "Non-nil while an export makes a task.
The report of a failed block, which stands for its value in an export, is
no input of that task: `ob-mesos--wait-for-value' signals an error then.")

(defun ob-mesos--wait-for-value (task params)
  "Wait for TASK and return its value according to PARAMS, those of Org.
In an export that is a report if it has failed.  It is nil if the block
has a file, of which Org makes the value then."
  (ob-mesos--wait-for-task task)
  (let ((file (ob-mesos--result-file params)))
    (cond
     ((and (not (ob-mesos-task-failed-p task))
           (or file
               (assq :post params)
               ;; This is how Org executes a block that another one refers to.
               (ob-mesos--quiet-p params)))
      (unless (and file (ob-mesos--file-there-p
                         task (cdr (assq :result-params params)) file))
        (ob-mesos--wait-for-output task))
      (unwind-protect
          (if file
              (ob-mesos--file-value task params file)
            (ob-mesos--task-value task params t))
        (setf (ob-mesos-task-output task) nil)))
     ((not (ob-mesos-task-failed-p task))
      (ob-mesos--task-value task params))
     ((bound-and-true-p org-babel-exp-reference-buffer)
      (when ob-mesos--failure-is-error
        (user-error "%s" (ob-mesos--why-not task)))
      (if (ob-mesos--inline-p (org-element-context))
          (ob-mesos--one-line (ob-mesos--report-for-org task params))
        (ob-mesos--report-for-org task params)))
     ((equal "STALE" (plist-get (ob-mesos-task-data task) :reason))
      (signal 'ob-mesos-stale
              (list (format "%s (%s)"
                            (ob-mesos--task-name task)
                            (plist-get (ob-mesos-task-data task) :message)))))
     (t (user-error "%s" (ob-mesos--report task))))))

(defun ob-mesos--file-value (task params file)
  "Write FILE for TASK with PARAMS, and return the value of the task for Org.
It is nil, for which Org writes no file, or a list of links to the files
that the members of a group have made.
Org has bound `default-directory' to `:dir', a directory on the agent, and
would make a link to a file there."
  (when (cdr (assq :dir params))
    (setq default-directory (ob-mesos-task-directory task)))
  (let ((links (ob-mesos--member-links task file)))
    (if links
        (ob-mesos--insert-as params "list")
      (ob-mesos--write-file task params file))
    links))

(defun ob-mesos--insert-as (params type)
  "Change PARAMS, the list of Org, for the insertion of a result as TYPE.
It is written into no file then."
  (ob-mesos--disable-argument :file params)
  (let ((result-params (cdr (assq :result-params params))))
    (when (and (consp result-params) (not (ob-mesos--quiet-p params)))
      (setcar result-params type)
      (setcdr result-params (list "replace")))))

(defun ob-mesos--report-for-org (task params)
  "Return the report of TASK, which has failed, as its value for Org.
Change PARAMS so that Org inserts it as text."
  (ob-mesos--insert-as params "output")
  (ob-mesos--disable-argument :post params)
  (ob-mesos--report task))

(provide 'ob-mesos-execute)
;;; ob-mesos-execute.el ends here
