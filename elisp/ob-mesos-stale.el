;;; ob-mesos-stale.el --- Run what has changed  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Commands that run only the blocks of a document whose inputs have
;; changed, or only the failed members of a group; and a command that shows
;; why a block is stale.

;;; Code:

(require 'cl-lib)
(require 'ob-mesos-mode)
(require 'ob-mesos-run)

(defun ob-mesos-execute-stale ()
  "Run every cluster block and call of the buffer that is not up to date.
A result is up to date if its inputs have not changed: the text,
variables, files, environment, image and command of the block, and the
blocks that `:after' names.  Results that are up to date are inserted
again.  A block with `:cache no' always runs.  In a narrowed buffer, this
command applies to the accessible portion."
  (interactive)
  (ob-mesos--execute-between (point-min) (point-max) "yes"))

(defun ob-mesos-rerun-failed ()
  "Run the failed members of the group at point again.
The block or call at point must have `:instances' or `:foreach'.  The
results of the finished members are reused, so the new result contains
all members.  If the block has changed, all members run."
  (interactive)
  (let ((element (ob-mesos--element-for-command)))
    (unless (ob-mesos--fan-out-p
             (nth 2 (ob-mesos--node-info
                     (ob-mesos--node-at (ob-mesos--element-begin element)) t)))
      (user-error "The block has neither `:instances' nor `:foreach'"))
    (when (org-with-wide-buffer
           (ob-mesos--task-at (ob-mesos--element-begin element)))
      (user-error "The group has not ended"))
    (ob-mesos--execute-element element "yes")))

;;;; Why

(defun ob-mesos-explain ()
  "Show whether the result of the block at point is up to date, or why not.
No task runs on the cluster.  Blocks that Emacs itself evaluates run if
the block at point uses their values."
  (interactive)
  (let* ((element (ob-mesos--element-for-command))
         ;; There is nothing to confirm, for no task runs.
         (graph (ob-mesos--graph-make :buffer (current-buffer) :reuse "only"
                                      :confirmed t))
         (node (org-with-wide-buffer (ob-mesos--node graph element)))
         (name (ob-mesos--node-name node))
         (stale (condition-case err
                    (progn
                      (setf (ob-mesos--graph-items graph) (list node))
                      (ob-mesos--execute-graph graph #'ob-mesos--named-node)
                      nil)
                  (ob-mesos-stale (cadr err))))
         (tasks (delq nil (mapcar #'ob-mesos--node-task (ob-mesos--graph-order graph)))))
    (message "ob-mesos: asking the server about %s..." name)
    (ob-mesos--count-down
     tasks
     (lambda (left)
       (when (zerop left)
         (message "ob-mesos: %s"
                  (if stale
                      (format "%s is stale, because it depends on %s" name stale)
                    (ob-mesos--explanation name (ob-mesos--node-task node) tasks)))
         (ob-mesos--forget-explained tasks))))))

(defun ob-mesos--explanation (name task tasks)
  "Return a sentence on TASK of the block NAME, which was not run, or nil.
TASKS are all tasks of the graph."
  (let ((stale (cl-remove-if-not #'ob-mesos--stale-tasks tasks)))
    (cond
     ((null task) (format "%s does not run" name))
     ((memq task stale)
      (format "%s is stale: %s" name (ob-mesos--stale-reason task)))
     (stale
      (format "%s is stale, because it depends on %s" name
              (mapconcat (lambda (each)
                           (format "%s (%s)" (ob-mesos--task-name each)
                                   (ob-mesos--stale-reason each)))
                         stale ", ")))
     ((ob-mesos-task-failed-p task)
      (format "%s cannot be explained: %s" name
              (plist-get (ob-mesos-task-data task) :message)))
     ((not (ob-mesos-task-reused-p task))
      (format "%s is running" name))
     (t (format "%s is up to date: its result is from %s" name
                (ob-mesos--newest-result (ob-mesos-task-parts task)))))))

(defun ob-mesos--stale-tasks (task)
  "Return TASK, or those of its members, that have no result to reuse."
  (cl-remove-if-not
   (lambda (each)
     (equal "STALE" (plist-get (ob-mesos-task-data each) :reason)))
   (ob-mesos-task-parts task)))

(defun ob-mesos--stale-reason (task)
  "Return why TASK has no result to reuse."
  (let ((stale (ob-mesos--stale-tasks task)))
    (concat (and (ob-mesos-task-members task)
                 (format "%d of %d members, the first of them: " (length stale)
                         (length (ob-mesos-task-members task))))
            (plist-get (ob-mesos-task-data (car stale)) :message))))

(defun ob-mesos--forget-explained (tasks)
  "Let the servers forget those of TASKS that were not to run."
  (pcase-dolist (`(,_ . ,mine)
                 (seq-group-by #'ob-mesos-task-master
                               (cl-remove-if-not #'ob-mesos--explained-p tasks)))
    (ob-mesos--request (ob-mesos-task-server (car mine)) :task/forget
                       (list :ids (vconcat (mapcan #'ob-mesos--ids mine)))
                       #'ignore #'ignore)))

(provide 'ob-mesos-stale)
;;; ob-mesos-stale.el ends here
