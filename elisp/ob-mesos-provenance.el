;;; ob-mesos-provenance.el --- The provenance of results  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Inserts a drawer below a result that contains the task, master, agent,
;; image, times, key and versions as an Org table.  Exports include the
;; table unless `org-export-with-drawers' excludes the drawer.

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'ob)
(require 'ob-mesos-task)
(require 'ob-mesos-place)
(require 'ob-mesos-reuse)

;;;; The contents

(defun ob-mesos--field (tasks field function)
  "Return FUNCTION of the values that TASKS have of FIELD, or nil if none has."
  (let ((values (delq nil (mapcar (lambda (task)
                                    (plist-get (ob-mesos-task-data task) field))
                                  tasks))))
    (and values (apply function values))))

(defun ob-mesos--distinct (&rest values)
  "Return VALUES, each once, as text."
  (string-join (delete-dups (mapcar (lambda (value) (format "%s" value)) values))
               ", "))

(defun ob-mesos--provenance-time (milliseconds)
  "Return MILLISECONDS since 1970 as text."
  (format-time-string "%F %T %z" (/ milliseconds 1000)))

(defun ob-mesos--provenance-usage (tasks)
  "Return what TASKS have used, as text, or nil."
  (let ((cpu (ob-mesos--field tasks :cpuSeconds #'+))
        (peak (ob-mesos--field tasks :peakKiB #'max)))
    (and (or cpu peak)
         (string-join
          (delq nil (list (and cpu (format "%.2f s cpu" cpu))
                          (and peak (format "%.1f MiB peak memory" (/ peak 1024.0)))))
          ", "))))

(defun ob-mesos--provenance-exit (tasks)
  "Return how TASKS have ended, as text."
  (apply #'ob-mesos--distinct
         (mapcar (lambda (task)
                   (let ((data (ob-mesos-task-data task)))
                     (cond ((plist-get data :exitStatus)
                            (format "status %s" (plist-get data :exitStatus)))
                           ((plist-get data :signal)
                            (format "signal %s" (plist-get data :signal)))
                           ((ob-mesos-task-failed-p task)
                            (ob-mesos-task-state task))
                           (t "status 0"))))
                 tasks)))

(defun ob-mesos--provenance-reused (tasks)
  "Return of which tasks TASKS have the results, as text, or nil."
  (let ((reused (cl-remove-if-not #'ob-mesos-task-reused-p tasks)))
    (cond ((null reused) nil)
          ((cdr tasks) (format "%d of %d members" (length reused) (length tasks)))
          (t (format "from %s, which ended %s"
                     (plist-get (ob-mesos-task-data (car reused)) :reused)
                     (ob-mesos--provenance-time
                      (plist-get (ob-mesos-task-data (car reused)) :reusedEnded)))))))

(defun ob-mesos--provenance (task)
  "Return how the result of TASK came about, (NAME . TEXT) each."
  (let ((tasks (ob-mesos-task-parts task))
        (server (ob-mesos-task-server task)))
    (cl-remove-if-not
     #'cdr
     (list (cons "task" (ob-mesos-task-id task))
           (cons "members" (and (ob-mesos-task-members task)
                                (number-to-string (length tasks))))
           (cons "master" (ob-mesos--master-to-show (ob-mesos-task-master task)))
           (cons "agent" (ob-mesos--field
                          (cl-remove "" tasks :test #'equal
                                     :key (lambda (each)
                                            (plist-get (ob-mesos-task-data each)
                                                       :hostname)))
                          :hostname #'ob-mesos--distinct))
           (cons "image" (ob-mesos--field tasks :image #'ob-mesos--distinct))
           (cons "started" (when-let ((time (ob-mesos--field tasks :started #'min)))
                             (ob-mesos--provenance-time time)))
           (cons "ended" (when-let ((time (ob-mesos--field tasks :ended #'max)))
                           (ob-mesos--provenance-time time)))
           (cons "exit" (ob-mesos--provenance-exit tasks))
           (cons "usage" (ob-mesos--provenance-usage tasks))
           (cons "reused" (ob-mesos--provenance-reused tasks))
           (cons "key" (ob-mesos--input-key task))
           (cons "versions" (format "ob-mesos %s, Emacs %s, Org %s"
                                    (or (ob-mesos--server-version server) "unknown")
                                    emacs-version (org-version)))))))

(defun ob-mesos--provenance-text (task indent)
  "Return the drawer for TASK; its lines begin with INDENT."
  (concat indent ":PROVENANCE:\n"
          (mapconcat (lambda (row)
                       (format "%s| %-8s | %s |\n" indent (car row)
                               (replace-regexp-in-string
                                "|" "\\vert{}" (cdr row) t t)))
                     (ob-mesos--provenance task) "")
          indent ":END:\n"))

;;;; The place

(defun ob-mesos--insert-wanted-provenance (task &optional end)
  "Insert the drawer of TASK below the result at point if its block asks for it.
The result ends at END, or, if that is nil, where Org can find its end.
The drawer of an earlier result is deleted.  An inline result cannot have
one."
  (let ((wanted (equal "yes" (cdr (assq :provenance (ob-mesos-task-params task))))))
    (when (and (or wanted (ob-mesos--provenance-follows-p))
               (not (ob-mesos--inline-p (org-element-context))))
      (ob-mesos--replace-provenance (and wanted task) nil end))))

(defun ob-mesos--remove-provenance-with-result (&optional info _keep-keyword)
  "Delete the drawer below the result of the block at point.
For advice before `org-babel-remove-result', which has INFO, and which
exports use for blocks whose results they do not contain."
  (when (ob-mesos--provenance-follows-p)
    (ob-mesos--replace-provenance nil info)))

(defun ob-mesos--provenance-follows-p ()
  "Return non-nil if any drawer follows; most documents have none."
  (let ((case-fold-search t))
    (save-excursion (search-forward ":PROVENANCE:" nil t))))

(defun ob-mesos--replace-provenance (task &optional info end)
  "Put the drawer of TASK below the result of the block or call at point.
It replaces an existing one; with nil as TASK that is only deleted.  INFO
is as for `org-babel-where-is-src-block-result', and END as for
`ob-mesos--insert-wanted-provenance'."
  (when-let ((results (org-babel-where-is-src-block-result nil info)))
    (save-excursion
      (goto-char results)
      (let ((indent (buffer-substring
                     (point) (progn (skip-chars-forward " \t") (point)))))
        (forward-line 1)
        (goto-char (ob-mesos--result-end))
        (ob-mesos--delete-provenance)
        (when end
          (goto-char end)
          (skip-chars-backward " \t\n")
          (forward-line 1))
        (when task
          (unless (bolp) (insert "\n"))
          (insert (ob-mesos--provenance-text task indent)))))))

(defun ob-mesos--delete-provenance ()
  "Delete the drawer that begins at point, if one does."
  (let ((case-fold-search t))
    (delete-region (point) (ob-mesos--provenance-end))))

(provide 'ob-mesos-provenance)
;;; ob-mesos-provenance.el ends here
