;;; ob-mesos-placeholder.el --- Placeholders of running tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The placeholder of a task contains its id; the place of the result is
;; found by this text.  While the task runs, its last lines are shown below
;; the placeholder.

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'ob)
(require 'ob-mesos-task)
(require 'ob-mesos-undo)
(require 'ob-mesos-place)
(require 'ob-mesos-value)
(require 'ob-mesos-inline)

(defcustom ob-mesos-tail-interval 0.3
  "Seconds between two updates of the last lines of a visible running task.
If the task is not visible, the last lines are updated every five seconds."
  :type 'number
  :group 'ob-mesos)

(defconst ob-mesos--placeholder-regexp
  (concat "mesos:\\([A-Za-z0-9_-][A-Za-z0-9._-]*\\) "
          "\\(?:QUEUED\\|STAGING\\|STARTING\\|RUNNING\\|KILLING\\|UNREACHABLE"
          "\\|UNKNOWN\\)\\b")
  "Matches a placeholder; group 1 is the task's id.")

;; That file requires this one.
(declare-function ob-mesos--tell-group "ob-mesos-group" (group))

;;;; The text

(defun ob-mesos--placeholder (task)
  "The first line of the placeholder of TASK."
  (let ((started (plist-get (ob-mesos-task-data task) :started))
        (message (plist-get (ob-mesos-task-data task) :message)))
    (format "mesos:%s %s%s" (ob-mesos-task-id task) (ob-mesos-task-state task)
            (cond
             (started
              (concat (format-time-string " since %T" (/ started 1000))
                      (when-let ((addresses (ob-mesos--addresses
                                             (ob-mesos-task-data task))))
                        (concat " at " (string-join addresses ", ")))))
             ((and message (or (ob-mesos-task-members task)
                               (equal "QUEUED" (ob-mesos-task-state task))))
              (concat " " (replace-regexp-in-string "[\n\r]+" " " message)))
             (t "")))))

(defun ob-mesos--insert-placeholder (task params)
  "Insert the placeholder of TASK for the block or call at point.
PARAMS are its header arguments."
  (let ((text (ob-mesos--placeholder task))
        (kept (cl-intersection '("append" "prepend")
                               (cdr (assq :result-params params))
                               :test #'equal))
        (origin (point))
        (inhibit-message t))
    (ob-mesos--edit-recorded
     (lambda ()
       (ob-mesos--with-scratch-buffer
        origin (not kept)
        (lambda (shift)
          (goto-char (- origin shift))
          ;; A block or what wraps the result would hide the placeholder.
          (let ((org-babel-min-lines-for-block-output most-positive-fixnum))
            (org-babel-insert-result
             text (or kept '("replace"))
             (list "mesos" "" (cl-remove :wrap params :key #'car)))))))
     (lambda ()
       (when-let ((place (ob-mesos--find-text (ob-mesos-task-id task) origin)))
         (setf (ob-mesos-task-shown task) (list text))
         (ob-mesos--result-region place))))))

(defun ob-mesos--result-region (position)
  "Return the region that a result at POSITION can change, as a cons.
It begins with the results keyword and ends with the empty lines below.
The drawer of `ob-mesos-provenance' is in it."
  (save-excursion
    (cons (or (ob-mesos--results-at position) position)
          (progn (goto-char position)
                 (goto-char (ob-mesos--placeholder-end))
                 (let ((end (ob-mesos--result-end)))
                   ;; Org leaves earlier raw results there.
                   (when (save-excursion
                           (goto-char end)
                           (looking-at-p ob-mesos--provenance-regexp))
                     (goto-char end)))
                 (goto-char (ob-mesos--provenance-end))
                 (skip-chars-forward " \t\n")
                 (if (eobp) (point-max) (line-beginning-position))))))

(defun ob-mesos--placeholder-end ()
  "The end of the placeholder at point, with its last lines.
An earlier result below it can look like them, so no more lines are
counted than its task has shown, if that is known."
  (save-excursion
    (let* ((task (and (looking-at "[ \t]*: mesos:\\([^ \n]+\\) ")
                      (gethash (match-string-no-properties 1) ob-mesos--tasks)))
           (shown (and task (ob-mesos-task-shown task)))
           (most (and shown (length (cdr shown))))
           (count 0))
      (forward-line 1)
      (while (and (not (eql count most)) (looking-at-p "[ \t]*: | "))
        (cl-incf count)
        (forward-line 1))
      (point))))

(defun ob-mesos--show (task)
  "Bring the placeholder of TASK up to date."
  (when (ob-mesos-task-members task)
    (ob-mesos--tell-group task))
  (let ((place (ob-mesos--writable-place task))
        (text (cons (ob-mesos--placeholder task)
                    (unless (string-empty-p (ob-mesos-task-tail task))
                      (split-string (ob-mesos--clean (ob-mesos-task-tail task))
                                    "\n")))))
    (when (and place (not (equal text (ob-mesos-task-shown task))))
      (with-current-buffer (car place)
        (save-restriction
          (widen)
          (ob-mesos--edit-status
           (lambda ()
             (if (ob-mesos--inline-at-p (cdr place))
                 (ob-mesos--show-inline (cdr place)
                                        (ob-mesos--short-placeholder task))
               (ob-mesos--show-lines (cdr place) text))))))
      (setf (ob-mesos-task-shown task) text))))

(defun ob-mesos--show-lines (beg text)
  "Make TEXT the placeholder that begins at BEG: its first line, then others."
  (let ((indent (save-excursion
                  (goto-char beg)
                  (buffer-substring
                   beg (progn (skip-chars-forward " \t") (point)))))
        (end (save-excursion
               (goto-char beg) (ob-mesos--placeholder-end))))
    (ob-mesos--replace-lines
     beg end
     (concat indent ": " (car text) "\n"
             (mapconcat
              (lambda (line)
                (concat indent ": | " (truncate-string-to-width line 500) "\n"))
              (cdr text) "")))))

(defun ob-mesos--short-placeholder (task)
  "The placeholder of TASK for a place within a line."
  (format "mesos:%s %s" (ob-mesos-task-id task) (ob-mesos-task-state task)))

;;;; Updates

(defvar ob-mesos--dirty (make-hash-table :test #'eq)
  "The tasks whose placeholders are behind, as keys.")
(defvar ob-mesos--tail-timer nil "The timer that brings it up to date.")
(defvar ob-mesos--hidden-update 0 "When placeholders out of sight were shown.")

(defun ob-mesos--mark-dirty (task)
  "The placeholder of TASK is to be brought up to date soon."
  (puthash task t ob-mesos--dirty)
  (unless (or ob-mesos--tail-timer noninteractive)
    (setq ob-mesos--tail-timer
          (run-at-time ob-mesos-tail-interval nil #'ob-mesos--show-dirty))))

(defun ob-mesos--show-dirty ()
  "Bring up to date what is in sight, the rest every five seconds."
  (setq ob-mesos--tail-timer nil)
  (let* ((all (> (- (float-time) ob-mesos--hidden-update) 5))
         (tasks (hash-table-keys ob-mesos--dirty)))
    (clrhash ob-mesos--dirty)
    (when all (setq ob-mesos--hidden-update (float-time)))
    (mapc #'ob-mesos--watch (ob-mesos--live-servers))
    (dolist (task tasks)
      (ob-mesos--enqueue #'ob-mesos--show-if-visible task all))))

(defun ob-mesos--show-if-visible (task all)
  "Bring the placeholder of TASK up to date if it is in sight, or ALL is non-nil.
Otherwise that is put off."
  (cond ((ob-mesos-task-terminal-p task))
        ((or all (ob-mesos--visible-p task)) (ob-mesos--show task))
        (t (ob-mesos--mark-dirty task))))

(defun ob-mesos--watch (server)
  "Tell SERVER which of its tasks are in sight, unless it is this machine's.
Those are asked after more often."
  (unless (or (equal (ob-mesos--server-master server) "local")
              (not (ob-mesos--server-ready server)))
    (let (ids)
      (maphash (lambda (id task)
                 (when (and (not (ob-mesos-task-done task))
                            (eq (ob-mesos-task-server task) server)
                            (ob-mesos--visible-p task))
                   (push id ids)))
               ob-mesos--tasks)
      (unless (equal ids (ob-mesos--server-watched server))
        (setf (ob-mesos--server-watched server) ids)
        (jsonrpc-notify (ob-mesos--server-connection server)
                        :task/watch (list :ids (vconcat ids)))))))

(defun ob-mesos--visible-p (task)
  "Whether the placeholder of TASK is in some window."
  (let* ((marker (or (ob-mesos-task-block-marker task)
                     (ob-mesos-task-result-marker task)))
         (home (and marker (marker-buffer marker))))
    ;; Most documents are in no window, and need no search.
    (when-let ((place (and (or (null home) (get-buffer-window-list home nil t))
                           (ob-mesos--place task))))
      (cl-some (lambda (window)
                 (<= (window-start window) (cdr place)
                     (+ (window-start window)
                        (* 4 (window-total-width window)
                           (window-total-height window)))))
               (get-buffer-window-list (car place) nil t)))))

(defun ob-mesos--output (id tail size)
  "The task ID has written SIZE bytes, TAIL at last."
  (let ((task (gethash id ob-mesos--tasks)))
    (when (and task (not (ob-mesos-task-terminal-p task)))
      (setf (ob-mesos-task-tail task) (or tail "")
            (ob-mesos-task-size task) size)
      (ob-mesos--mark-dirty task))))

(add-hook 'ob-mesos-output-functions #'ob-mesos--output)

(provide 'ob-mesos-placeholder)
;;; ob-mesos-placeholder.el ends here
