;;; ob-mesos-run.el --- Many blocks at once  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Submits the blocks and calls of a buffer, or of a part of it, together.
;; Each block is submitted after the blocks that it depends on.

;;; Code:

(require 'cl-lib)
(require 'org-element)
(require 'ob-mesos-execute)

(defun ob-mesos--cluster-node-p (node)
  "Return non-nil if NODE at point is for the cluster and not commented."
  (let ((element (ob-mesos--node-element node)))
    (and (or (equal (org-element-property :language element) "mesos")
             (ob-mesos--cluster-info-p (ob-mesos--node-info node t)))
         (not (if (ob-mesos--inline-p element)
                  (org-in-commented-heading-p)
                (ob-mesos--commented-p element))))))

(defun ob-mesos--execute-next (nodes graph function)
  "Execute the first of NODES of GRAPH, and enqueue the rest.
After the last one submit what GRAPH has, and call FUNCTION with it."
  (condition-case err
      (if nodes
          (progn
            ;; It may evaluate Lisp in the header arguments.
            (ob-mesos--with-quit
              (ob-mesos--execute-node-of-many (car nodes)))
            (ob-mesos--enqueue #'ob-mesos--execute-next (cdr nodes) graph function))
        (ob-mesos--submit-unsent graph)
        (ob-mesos--release-graph graph)
        (funcall function graph))
    ((error quit)
     (setf (ob-mesos--graph-error graph) (error-message-string err))
     (ob-mesos--abandon-graph graph (error-message-string err))
     (ob-mesos--release-graph graph)
     (funcall function graph))))

(defun ob-mesos--execute-node-of-many (node)
  "Execute NODE; if that signals an error, only NODE and what needs it fails."
  (when-let ((task (cdr (assq node (ob-mesos--graph-replaced
                                    (ob-mesos--node-graph node))))))
    (ob-mesos--kill-task task))
  (condition-case err
      (ob-mesos--execute-node node)
    (error (ob-mesos--fail-node node (error-message-string err)))))

(defun ob-mesos--prepare-run (graph)
  "Ask whether to evaluate the nodes of GRAPH, and start their servers.
Signal an error if the user declines a node or a server does not start.
The document has not changed then."
  (with-current-buffer (ob-mesos--graph-buffer graph)
    (org-with-wide-buffer
     (dolist (node (ob-mesos--graph-order graph))
       (when (and (ob-mesos--node-cluster node) (not (ob-mesos--node-done node)))
         (goto-char (ob-mesos--node-marker node))
         (let ((info (ob-mesos--node-info node t))
               (ob-mesos--keywords (ob-mesos--graph-keywords graph)))
           (when (ob-mesos--confirm-node node info)
             (ob-mesos--start-server
              (ob-mesos--server (ob-mesos--master (nth 2 info))))))))))
  (setf (ob-mesos--graph-confirmed graph) t))

(defun ob-mesos--begin-run (graph function)
  "Execute the nodes of GRAPH, in slices.
In the end call FUNCTION with GRAPH."
  (ob-mesos--prepare-run graph)
  (ob-mesos--enqueue #'ob-mesos--execute-next (ob-mesos--graph-order graph)
                   graph function))

(defun ob-mesos--cluster-graph (beg end &optional reuse)
  "Return the sorted graph of what is for the cluster between BEG and END.
REUSE is as for `ob-mesos--reuse-mode'."
  (let ((graph (ob-mesos--collect-graph beg end #'ob-mesos--cluster-node-p)))
    (setf (ob-mesos--graph-reuse graph) reuse)
    (ob-mesos--sort-graph graph #'ob-mesos--after-node)
    graph))

(defun ob-mesos--graph-tasks (graph)
  "Return the tasks of the items of GRAPH, in the order of their execution."
  (cl-loop for node in (ob-mesos--graph-order graph)
           when (and (ob-mesos--node-item node) (ob-mesos--node-task node))
           collect (ob-mesos--node-task node)))

(defun ob-mesos--submit-buffer (function &optional reuse)
  "Submit all that is of the cluster in this buffer.
In the end call FUNCTION with the graph.  REUSE is as for
`ob-mesos--reuse-mode'."
  (let ((graph (ob-mesos--cluster-graph (point-min) (point-max) reuse)))
    (ob-mesos--check-graph graph)
    (ob-mesos--begin-run graph function)))

(defun ob-mesos--submit-buffer-and-wait (&optional reuse)
  "Submit all that is of the cluster in this buffer.
Return the tasks once they are submitted, or signal what was wrong.
REUSE is as for `ob-mesos--reuse-mode'."
  (let (graph)
    (ob-mesos--submit-buffer (lambda (done) (setq graph done)) reuse)
    (ob-mesos--wait (lambda () graph))
    (when (ob-mesos--graph-error graph)
      (user-error "%s" (ob-mesos--graph-error graph)))
    (ob-mesos--graph-tasks graph)))

;;;; Commands

(defun ob-mesos--confirm-run (graph)
  "Show the items of GRAPH and ask whether to run them, as Org would for each.
If there is no reason to ask, return t; each block with `:eval query' is
asked about when the run is prepared."
  (let ((items (cl-remove-if-not (lambda (node)
                                   (and (ob-mesos--node-cluster node)
                                        (not (ob-mesos--node-done node))))
                                 (ob-mesos--graph-order graph))))
    (or (null items)
        (null org-confirm-babel-evaluate)
        (and (functionp org-confirm-babel-evaluate)
             (cl-notany (lambda (item)
                          (let ((info (ob-mesos--node-info item t)))
                            (funcall org-confirm-babel-evaluate
                                     (nth 0 info) (nth 1 info))))
                        items))
        (save-window-excursion
          (with-output-to-temp-buffer "*ob-mesos run*"
            (princ "These would run on the cluster:\n\n")
            (dolist (item items)
              (princ (format "  %s\n" (ob-mesos--item-line item)))))
          (setf (ob-mesos--graph-confirmed graph)
                (yes-or-no-p (format "Run %d blocks and calls on the cluster? "
                                     (length items))))))))

(defun ob-mesos--confirm-running (graph)
  "Ask what to do with the items of GRAPH that run already, if there are any.
Return nil if the user cancels the run.  The tasks of items that are left
running become those of GRAPH; others are killed before their items are
executed."
  (let ((running (ob-mesos--running-items graph)))
    (or (null running)
        noninteractive
        (pcase (car (read-multiple-choice
                     (format "Blocks that run already: %s"
                             (ob-mesos--some-names
                              (mapcar (lambda (each) (ob-mesos-task-id (cdr each)))
                                      running)))
                     '((?l "leave them running") (?k "kill and run again")
                       (?c "cancel"))))
          (?l (pcase-dolist (`(,item . ,task) running)
                (setf (ob-mesos--node-task item) task
                      (ob-mesos--node-done item) t))
              t)
          (?k (setf (ob-mesos--graph-replaced graph) running)
              t)))))

(defun ob-mesos--running-items (graph)
  "Return the items of GRAPH whose tasks or groups have not ended.
Each is (ITEM . TASK)."
  (let ((tasks (make-hash-table)))
    (with-current-buffer (ob-mesos--graph-buffer graph)
      (dolist (task (hash-table-values ob-mesos--tasks))
        (unless (or (ob-mesos-task-done task) (ob-mesos-task-group task))
          (dolist (position (ob-mesos--block-positions task))
            (puthash position task tasks))))
      (cl-loop for item in (ob-mesos--graph-items graph)
               for task = (gethash (marker-position (ob-mesos--node-marker item)) tasks)
               when task collect (cons item task)))))

(defun ob-mesos--item-line (item)
  "One line on ITEM for the user."
  (let ((element (ob-mesos--node-element item)))
    (format "%-20s %s" (ob-mesos--node-name item)
            (truncate-string-to-width
             (car (split-string (string-trim-left
                                 (or (org-element-property :value element) ""))
                                "\n"))
             50))))

(defun ob-mesos--seconds (task)
  "How long TASK has run, in seconds; all members together for a group."
  (let ((data (ob-mesos-task-data task)))
    (if (ob-mesos-task-members task)
        (apply #'+ (mapcar #'ob-mesos--seconds (ob-mesos-task-members task)))
      (if (and (plist-get data :started) (plist-get data :ended))
          (/ (- (plist-get data :ended) (plist-get data :started)) 1000.0)
        0))))

(defun ob-mesos--reused-count (tasks)
  "Return how many results of TASKS are reused, as the end of a phrase."
  (let ((reused (cl-count-if #'ob-mesos-task-reused-p tasks)))
    (if (zerop reused) "" (format " (%d reused)" reused))))

(defun ob-mesos--summary (graph)
  "Return a sentence on GRAPH, all of whose tasks have ended."
  (let* ((tasks (ob-mesos--graph-tasks graph))
         (failed (cl-remove-if-not #'ob-mesos-task-failed-p tasks)))
    (format "ob-mesos: %d done%s%s in %.1f s; one after the other they take %.1f s"
            (- (length tasks) (length failed))
            (ob-mesos--reused-count tasks)
            (if failed
                (format ", %d failed (%s)" (length failed)
                        (ob-mesos--some-names
                         (mapcar #'ob-mesos-task-id failed)))
              "")
            (- (float-time) (ob-mesos--graph-start graph))
            (apply #'+ (mapcar #'ob-mesos--seconds tasks)))))

(defun ob-mesos--report-run (graph)
  "Tell how far GRAPH is whenever a task of it ends, and sum up in the end."
  (let* ((tasks (ob-mesos--graph-tasks graph))
         (all (length tasks))
         (reporter (make-progress-reporter
                    (format "ob-mesos: %d %s on the cluster..." all
                            (if (= all 1) "task runs" "tasks run"))
                    0 all 0 1 0.5)))
    (ob-mesos--count-down
     tasks
     (lambda (left)
       (if (> left 0)
           (progress-reporter-update reporter (- all left))
         (message "%s" (ob-mesos--summary graph)))))))

(defun ob-mesos--execute-between (beg end &optional reuse)
  "Run all that is of the cluster between BEG and END.
REUSE is as for `ob-mesos--reuse-mode'."
  (unless (derived-mode-p 'org-mode)
    (user-error "This is no Org document"))
  (let ((graph (ob-mesos--cluster-graph beg end reuse)))
    (unless (ob-mesos--graph-items graph)
      (user-error "There is nothing here that runs on a cluster"))
    (ob-mesos--check-graph graph)
    (when (and (ob-mesos--confirm-running graph)
               (ob-mesos--confirm-run graph))
      (ob-mesos--begin-run
       graph
       (lambda (graph)
         (cond ((ob-mesos--graph-error graph)
                (message "ob-mesos: %s" (ob-mesos--graph-error graph)))
               ((ob-mesos--graph-tasks graph) (ob-mesos--report-run graph))
               (t (message "ob-mesos: nothing had to run"))))))))

(defun ob-mesos-execute-buffer ()
  "Run every cluster block and call of this buffer, in parallel.
A block runs after the blocks that it depends on.  In a narrowed buffer,
run the blocks and calls of the accessible portion."
  (interactive)
  (ob-mesos--execute-between (point-min) (point-max)))

(defun ob-mesos-execute-subtree ()
  "Run every cluster block and call of this subtree, in parallel."
  (interactive)
  (save-restriction
    (save-excursion
      (widen)
      (org-back-to-heading t)
      (let ((beg (point)))
        (org-end-of-subtree t t)
        (let ((end (point)))
          (ob-mesos--execute-between beg end))))))

(defun ob-mesos-execute-region (beg end)
  "Run every cluster block and call between BEG and END, in parallel."
  (interactive "r")
  (ob-mesos--execute-between beg end))

(provide 'ob-mesos-run)
;;; ob-mesos-run.el ends here
