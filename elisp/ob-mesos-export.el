;;; ob-mesos-export.el --- Export  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; When an export reaches its first block, it submits all blocks that it
;; will evaluate; then it waits for the result of each block in order.

;;; Code:

(require 'cl-lib)
(require 'org-element)
(require 'ob-exp)
(require 'ob-mesos-execute)
(require 'ob-mesos-run)
(require 'ob-mesos-mode)

;;;; What a batch Emacs prints

(defun ob-mesos--progress (text last)
  "Show TEXT on stderr, in place on a terminal; LAST ends the line there."
  (if (equal (getenv "OB_MESOS_TTY") "1")
      (princ (concat "\r\e[K" text (if last "\n" "")) #'external-debugging-output)
    (princ (concat text "\n") #'external-debugging-output)))

(defun ob-mesos--tell-progress (tasks)
  "Show how many of TASKS are done, now and whenever one is."
  (let ((start (float-time)))
    (ob-mesos--count-down
     tasks
     (lambda (left)
       (when tasks
         (ob-mesos--progress
          (format "ob-mesos: %d of %d done%s, %.1f s"
                  (- (length tasks) left) (length tasks)
                  (if (zerop left) (ob-mesos--reused-count tasks) "")
                  (- (float-time) start))
          (zerop left)))))))

(defun ob-mesos--tell-failure (task)
  "Print how TASK has failed on stderr."
  (ob-mesos--progress
   (format "ob-mesos: %s %s: %s" (ob-mesos-task-id task)
           (ob-mesos-task-state task)
           (plist-get (ob-mesos-task-data task) :message))
   t))

;;;; What an export evaluates

(defvar-local ob-mesos--exported nil
  "In the reference buffer of an export, its tasks, (POSITION . TASK) each.")

(defvar ob-mesos--failed nil "The tasks of exports that have failed.")

(defun ob-mesos--export-place ()
  "Where the block or call at point is in the reference buffer of the export."
  (save-excursion
    (let ((element (org-element-context)))
      (goto-char (ob-mesos--element-begin element))
      (when (memq (org-element-type element) '(src-block babel-call))
        (beginning-of-line))
      (or (get-text-property (point) 'org-reference) (point)))))

(defun ob-mesos--exported-task (lang body params)
  "Return the task of this export for BODY, of LANG, with PARAMS, or a new one."
  (let* ((reference org-babel-exp-reference-buffer)
         (place (ob-mesos--export-place))
         (first (not (local-variable-p 'ob-mesos--exported reference))))
    (with-current-buffer reference
      (when first
        (setq ob-mesos--exported nil)
        (ob-mesos--presubmit)))
    (or (cl-loop for (position . task) in (buffer-local-value 'ob-mesos--exported
                                                              reference)
                 when (and (= place position)
                           (or (cl-some #'ob-mesos-task-failed-p
                                        (ob-mesos-task-needs task))
                               (ob-mesos--same-program-p task lang body params)))
                 return task)
        (let ((task (ob-mesos--new-exported-task lang body params)))
          (with-current-buffer reference
            (push (cons place task) ob-mesos--exported))
          task))))

(defun ob-mesos--new-exported-task (lang body params)
  "Launch a task of this export for BODY, of LANG, with PARAMS; return it.
It fails at once if what it needs has failed, or if it cannot be submitted."
  (let ((name (org-element-property :name (org-element-at-point))))
    (ob-mesos--start-server (ob-mesos--server (ob-mesos--master params)))
    (condition-case err
        (let ((ob-mesos--failure-is-error t))
          (when-let ((failed (ob-mesos--failed-upstream body params)))
            (user-error "%s" (ob-mesos--why-not failed)))
          (ob-mesos--new-task lang body params name
                              (ob-mesos--exported-after params)))
      (error
       (ob-mesos--failed-task lang body params name (error-message-string err))))))

(defun ob-mesos--failed-upstream (body params)
  "Return the failed task of this export whose report is in BODY or PARAMS.
Org inserts the report in place of the value of the block.  Return nil if
there is no such task."
  (when-let ((failed (cl-remove-if-not
                      #'ob-mesos-task-failed-p
                      (mapcar #'cdr (buffer-local-value
                                     'ob-mesos--exported
                                     org-babel-exp-reference-buffer)))))
    (let ((text (format "%S" (list body params)))
          (values (mapcar #'cdr (org-babel--get-vars params))))
      (cl-find-if
       (lambda (task)
         (let ((file (cdr (assq :file (ob-mesos-task-params task)))))
           (or (string-search (format "mesos: %s " (ob-mesos-task-id task)) text)
               (and file (member file values)))))
       failed))))

(defun ob-mesos--exported-after (params)
  "Return the tasks of this export that a block with PARAMS comes after.
One that has no task yet gets one."
  (with-current-buffer org-babel-exp-reference-buffer
    (let* ((ob-mesos--graph (ob-mesos--graph-make :buffer (current-buffer)))
           (nodes (cl-loop for name in (ob-mesos--after-names params)
                           for node = (ob-mesos--after-node ob-mesos--graph name)
                           when node collect node)))
      (setf (ob-mesos--graph-items ob-mesos--graph) nodes)
      (ob-mesos--sort-graph ob-mesos--graph #'ob-mesos--after-node)
      (dolist (node (ob-mesos--graph-order ob-mesos--graph))
        (setf (ob-mesos--node-item node) nil)
        (let ((known (cdr (assq (marker-position (ob-mesos--node-marker node))
                                ob-mesos--exported))))
          (if known
              (setf (ob-mesos--node-task node) known
                    (ob-mesos--node-done node) t)
            (ob-mesos--execute-node node)
            (when (ob-mesos--node-task node)
              (push (cons (marker-position (ob-mesos--node-marker node))
                          (ob-mesos--node-task node))
                    ob-mesos--exported)))))
      (ob-mesos--submit-unsent ob-mesos--graph)
      (delq nil (mapcar #'ob-mesos--node-task nodes)))))

(defun ob-mesos--execute-in-export (lang body params)
  "Run BODY, of LANG, with PARAMS and return its value."
  (add-hook 'org-babel-after-execute-hook
            #'ob-mesos--insert-exported-provenance nil t)
  (let ((task (ob-mesos--exported-task lang body (copy-tree params))))
    (prog1 (ob-mesos--wait-for-value task params)
      (when (and noninteractive
                 (ob-mesos-task-failed-p task)
                 (not (memq task ob-mesos--failed)))
        (push task ob-mesos--failed)
        (ob-mesos--tell-failure task)))))

(defun ob-mesos--insert-exported-provenance ()
  "Insert a drawer below the exported result at point if its block asks for one.
For `org-babel-after-execute-hook' in the buffer of an export."
  (when-let* ((exported (buffer-local-value 'ob-mesos--exported
                                            org-babel-exp-reference-buffer))
              (task (cdr (assq (ob-mesos--export-place) exported))))
    (ob-mesos--insert-wanted-provenance task)))

(defun ob-mesos--presubmit ()
  "Submit what the export of this reference buffer will evaluate.
If the user is to be asked first, nothing is submitted before that.  A
block that cannot be submitted is left to its turn, where Org tells why."
  (unless (and org-confirm-babel-evaluate
               (not (functionp org-confirm-babel-evaluate)))
    (let ((inhibit-message t) graph)
      (condition-case err
          (progn
            (setq graph (ob-mesos--collect-graph (point-min) (point-max)
                                                 #'ob-mesos--exported-node-p))
            (ob-mesos--sort-graph graph #'ob-mesos--after-node)
            (mapc #'ob-mesos--presubmit-node (ob-mesos--graph-order graph)))
        (error (message "ob-mesos: %s" (error-message-string err))))
      (when graph
        (let ((tasks (reverse (ob-mesos--graph-unsent graph))))
          (ob-mesos--submit-unsent graph)
          (ob-mesos--release-graph graph)
          (when noninteractive
            (ob-mesos--tell-progress tasks)))))))

(defun ob-mesos--check-export (_backend)
  "Signal a `user-error' if values of blocks depend on each other in a circle.
Org would resolve the references without an end, those of blocks whose
code is exported too.  What `:after' names is not checked."
  (when org-export-use-babel
    (let ((graph (condition-case err
                     (ob-mesos--collect-graph (point-min) (point-max)
                                              #'ob-mesos--cluster-node-p)
                   (error (message "ob-mesos: %s" (error-message-string err))
                          nil))))
      (when graph
        (ob-mesos--sort-graph graph #'ignore)
        (ob-mesos--release-graph graph)))))

(defun ob-mesos--presubmit-node (node)
  "Submit NODE, which an export will evaluate, unless it is to wait for its turn.
It is, if it needs a value that only Org can give, or Lisp is in its
header arguments, which is to be evaluated once."
  (setf (ob-mesos--node-item node) nil)
  (when (and (ob-mesos--node-cluster node)
             (ob-mesos--exports-early-p node))
    (condition-case err
        (progn
          (ob-mesos--execute-node node)
          (when-let ((task (ob-mesos--node-task node)))
            (push (cons (marker-position (ob-mesos--node-marker node)) task)
                  ob-mesos--exported)))
      (error (message "ob-mesos: %s" (error-message-string err))))))

(defun ob-mesos--exports-early-p (node)
  "Return non-nil if all that NODE needs is there, or is submitted."
  (let* ((info (ob-mesos--node-info node t))
         (params (nth 2 info))
         (texts (ob-mesos--reference-texts params)))
    (and (eq t (org-babel-check-confirm-evaluate info))
         (cl-every #'ob-mesos--node-task (ob-mesos--node-needs node))
         (cl-notany (lambda (argument)
                      (and (stringp (cdr argument))
                           (string-match-p "\\`[(`]\\|=[ \t]*[(`]" (cdr argument))))
                    params)
         (cl-every (lambda (text)
                     (or (null (ob-mesos--parse-reference text))
                         (assoc text (ob-mesos--node-references node))
                         (ob-mesos--data-p node text)))
                   texts))))

(defun ob-mesos--data-p (node text)
  "Return non-nil if the reference TEXT of NODE leads to a table, list or text."
  (when-let ((element (ob-mesos--named-element
                       (ob-mesos--node-graph node)
                       (car (ob-mesos--parse-reference text)))))
    (not (ob-mesos--executable-p element))))

(defun ob-mesos--exported-node-p (node)
  "Return non-nil if the export will evaluate NODE, at point, on the cluster."
  (unless (or (org-in-commented-heading-p) (org-in-archived-heading-p))
    (let* ((info (ob-mesos--node-info node t))
           (params (nth 2 info)))
      (and info
           (ob-mesos--cluster-info-p info)
           ;; What the user is to be asked about waits for its turn.
           (eq t (org-babel-check-confirm-evaluate info))
           (member (cdr (assq :exports params)) '("results" "both"))))))

;;;; Placeholders of blocks that an export does not evaluate

(defun ob-mesos--fill-placeholders (_backend)
  "Wait for the tasks whose placeholders are in this copy of a document.
Their results take the place of these; what nobody knows is taken away."
  (pcase-dolist (`(,id ,place . ,_)
                 (cl-remove-if #'ob-mesos--in-block-p (ob-mesos--placeholders)
                               :key #'cadr))
    (let ((task (gethash id ob-mesos--tasks)))
      (when task
        (ob-mesos--wait (lambda () (ob-mesos-task-done task))))
      (let ((copy (and task (copy-sequence task))))
        (when copy
          (setf (ob-mesos-task-result-marker copy) place
                (ob-mesos-task-block-marker copy) nil))
        (unless (and copy (ob-mesos--insert-result copy))
          (org-with-wide-buffer
           (goto-char place)
           (ob-mesos--delete-placeholder)))))))

(defun ob-mesos--in-block-p (position)
  "Return non-nil if POSITION is in the text of a block, such as an example."
  (org-with-wide-buffer
   (goto-char position)
   (memq (org-element-type (org-element-at-point))
         '(example-block src-block export-block comment-block verse-block))))

(defun ob-mesos--delete-placeholder ()
  "Delete the placeholder at point, in lines of its own or within one."
  (if (not (ob-mesos--inline-at-p (point)))
      (delete-region (point) (ob-mesos--placeholder-end))
    (let ((end (save-excursion (search-forward ")}}}" (line-end-position) t))))
      (when (and end (search-backward "{{{results(" (line-beginning-position) t))
        (delete-region (point) end)))))

(defvar org-export-before-processing-functions)

(defun ob-mesos--prepare-exports ()
  "Let exports check blocks and wait for results if `ob-mesos-global-mode' is on."
  (with-eval-after-load 'ox
    (let ((hook (if (boundp 'org-export-before-processing-functions)
                    'org-export-before-processing-functions
                  'org-export-before-processing-hook)))
      (dolist (function '(ob-mesos--fill-placeholders ob-mesos--check-export))
        (if ob-mesos-global-mode
            (add-hook hook function)
          (remove-hook hook function))))))

(add-hook 'ob-mesos-global-mode-hook #'ob-mesos--prepare-exports)

(provide 'ob-mesos-export)
;;; ob-mesos-export.el ends here
