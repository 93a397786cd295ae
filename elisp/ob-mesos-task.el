;;; ob-mesos-task.el --- The client's picture of a task  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; What Emacs knows of the tasks it has submitted or attached to.

;;; Code:

(require 'cl-lib)
(require 'ob-mesos-rpc)

(cl-defstruct (ob-mesos-task (:constructor ob-mesos-task--make) (:copier nil))
  "A task: what the server says of it, and where its result belongs."
  (id nil :documentation "Its identity, a string.")
  (block nil :documentation "What was submitted, a plist; nil if attached to.")
  (data nil :documentation "What the server said last, a plist.")
  (tail "" :documentation "The last lines it wrote.")
  (size 0 :documentation "How many bytes it wrote.")
  (place nil :documentation "Marker at its placeholder, or nil.")
  (origin nil :documentation "Marker at its block or call, or nil.")
  (params nil :documentation "The header arguments its result obeys.")
  (hash nil :documentation "The hash for `:cache', or nil.")
  (shown nil :documentation "The placeholder's text as it stands.")
  (done nil :documentation "Non-nil once its end was dealt with."))

(defvar ob-mesos--tasks (make-hash-table :test #'equal)
  "The tasks by their ids.")

(defvar ob-mesos-finished-functions nil
  "Called with each `ob-mesos-task' that has ended, after its result is in.")

(defun ob-mesos-task-state (task)
  "The state of TASK, a string such as \"RUNNING\"."
  (or (plist-get (ob-mesos-task-data task) :state) "QUEUED"))

(defun ob-mesos-task-terminal-p (task)
  "Whether TASK has ended."
  (eq t (plist-get (ob-mesos-task-data task) :terminal)))

(defun ob-mesos-task-failed-p (task)
  "Whether TASK has ended otherwise than well."
  (and (ob-mesos-task-terminal-p task)
       (not (equal (ob-mesos-task-state task) "FINISHED"))))

(defun ob-mesos-task-result (task)
  "What TASK wrote, a plist, or nil."
  (plist-get (ob-mesos-task-data task) :result))

(defun ob-mesos--submit (tasks)
  "Send TASKS to the server in one request, or several if they are large."
  (let (batch (size 0))
    (dolist (task tasks)
      (let ((length (string-bytes
                     (plist-get (ob-mesos-task-block task) :body))))
        (when (and batch (or (> (+ size length) 4000000)
                             (>= (length batch) 10000)))
          (ob-mesos--submit-batch (nreverse batch))
          (setq batch nil size 0))
        (push task batch)
        (cl-incf size length)))
    (when batch
      (ob-mesos--submit-batch (nreverse batch)))))

(defun ob-mesos--submit-batch (tasks)
  "Send TASKS to the server in one request."
  (ob-mesos--request
   :task/submit
   (list :blocks (vconcat (mapcar #'ob-mesos-task-block tasks)))
   #'ignore
   (lambda (message)
     (dolist (task tasks)
       (ob-mesos--refused task message)))))

(defun ob-mesos--refused (task message)
  "TASK was refused by the server with MESSAGE."
  (ob-mesos--later
   #'run-hook-with-args 'ob-mesos-status-functions
   (list :id (ob-mesos-task-id task) :state "ERROR" :terminal t
         :message message)))

(defun ob-mesos--get (ids)
  "Ask the server what became of the tasks with IDS."
  (ob-mesos--request
   :task/get (list :ids (vconcat ids))
   (lambda (result)
     (let ((found (append (plist-get result :tasks) nil)))
       (dolist (data found)
         (ob-mesos--later #'run-hook-with-args
                          'ob-mesos-status-functions data))
       (dolist (id ids)
         (unless (cl-find id found :test #'equal
                          :key (lambda (data) (plist-get data :id)))
           (ob-mesos--unknown id)))))))

(defun ob-mesos--unknown (id)
  "The server does not know the task ID; submit it again if that can be.
An id is the same task for ever, so this never runs a block twice."
  (let ((task (gethash id ob-mesos--tasks)))
    (cond
     ((and task (ob-mesos-task-block task))
      (ob-mesos--submit (list task)))
     (task
      (remhash id ob-mesos--tasks)
      (message "ob-mesos: no task %s is known" id)))))

(defun ob-mesos--resume ()
  "After a new start of the server ask for all that has not ended."
  (let (ids)
    (maphash (lambda (id task)
               (unless (ob-mesos-task-done task) (push id ids)))
             ob-mesos--tasks)
    (when ids
      (ob-mesos--get ids))))

(add-hook 'ob-mesos-connected-functions #'ob-mesos--resume)

(provide 'ob-mesos-task)
;;; ob-mesos-task.el ends here
