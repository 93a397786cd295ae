;;; ob-mesos-task.el --- The tasks that Emacs knows  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The data structure for a task that Emacs has submitted or has found in a
;; document.

;;; Code:

(require 'cl-lib)
(require 'ob-mesos-rpc)

(cl-defstruct (ob-mesos-task (:constructor ob-mesos-task--make) (:copier nil))
  "A task: what the server says of it, and where its result belongs."
  (id nil :documentation "Its identity, a string.")
  (master nil :documentation "The master it runs under, as the user has it.")
  (block nil :documentation "What was submitted, a plist; nil if found in a document.")
  (data nil :documentation "What the server said last, a plist.")
  (tail "" :documentation "The last lines it wrote.")
  (size 0 :documentation "How many bytes it wrote.")
  (result-marker nil :documentation "Marker at its placeholder if that was found in a document, or nil.")
  (block-marker nil :documentation "Marker at its block or call, or nil.")
  (text nil :documentation "The text of that, or nil if it is not known.")
  (context nil :documentation "Marker at the block or call whose value it is, or nil.")
  (file nil :documentation "The file its block was submitted from, or nil.")
  (params nil :documentation "The header arguments its result obeys.")
  (unmade nil :documentation "A function that makes its block before it is submitted, or nil.")
  (shown nil :documentation "The placeholder's text as it stands.")
  (done nil :documentation "Non-nil once its end was dealt with.")
  (killed nil :documentation "Non-nil once its server was asked to kill it.")
  (lang "mesos" :documentation "The language of its block.")
  (source nil :documentation "The text of its block, not expanded.")
  (directory nil :documentation "Where its document is.")
  (key nil :documentation "What it runs, in short; the same for the same.")
  (outcome nil :documentation "Its value and how to insert it, once made.")
  (output nil :documentation "The bytes of all its output, while they are needed.")
  (inserted nil :documentation "Non-nil once its result is in a document.")
  (fetching nil :documentation "Non-nil once files are brought from its sandbox.")
  (fetched nil :documentation "The names of those that were.")
  (needs nil :documentation "The tasks it waits for.")
  (continuation nil :documentation "Called without arguments once these have ended.")
  (waits nil :documentation "Non-nil if the server does not know all of these.")
  (local nil :documentation "Non-nil if the server does not know it either.")
  (group nil :documentation "The task it is a member of, or nil.")
  (members nil :documentation "The tasks it consists of, in order, or nil.")
  (count 0 :documentation "How many of these there are, with those that are not made yet.")
  (more nil :documentation "A function that makes the next of these and returns them, or nil.")
  (left 0 :documentation "How many of these have not ended.")
  (title nil :documentation "What distinguishes it from other members, a string."))

(defvar ob-mesos--tasks (make-hash-table :test #'equal)
  "The tasks by their ids.")

(defvar ob-mesos-ended-functions nil
  "Called with each `ob-mesos-task' that has ended, before the user's functions.")

(defvar ob-mesos-after-task-functions nil
  "Functions called with each `ob-mesos-task' that has ended, in whatever state.
They are called for the members of a group, and then for the group.  The
result is inserted by then, unless there is no place for it.")

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

(defun ob-mesos-task-not-run-p (task)
  "Whether TASK is only to find out whether there is a result to reuse."
  (equal "only" (plist-get (ob-mesos-task-block task) :reuse)))

(defun ob-mesos--explained-p (task)
  "Return non-nil if TASK, or each member of it, was not to run."
  (ob-mesos-task-not-run-p (or (car (ob-mesos-task-members task)) task)))

(defun ob-mesos-task-result (task)
  "What TASK wrote, a plist, or nil."
  (plist-get (ob-mesos-task-data task) :result))

(defun ob-mesos-task-parts (task)
  "Return the members of TASK if it is a group, else a list of TASK."
  (or (ob-mesos-task-members task) (list task)))

(defun ob-mesos-task-server (task)
  "The server of TASK."
  (ob-mesos--server (ob-mesos-task-master task)))

(defun ob-mesos--document-directory ()
  "Where the document in this buffer is."
  (let ((file (buffer-file-name (buffer-base-buffer))))
    (if file (file-name-directory file) default-directory)))

(defun ob-mesos--live-context (task)
  "Return the marker of the block of TASK, or nil if its buffer is gone."
  (cl-find-if (lambda (marker) (and marker (marker-buffer marker)))
              (list (ob-mesos-task-context task) (ob-mesos-task-block-marker task))))

(defun ob-mesos--call-in-document (task function)
  "Call FUNCTION where the block of TASK is: in its buffer and directory.
If the buffer is gone, a temporary one takes its place."
  (let* ((marker (ob-mesos--live-context task))
         (buffer (and marker (marker-buffer marker)))
         (directory (or (ob-mesos-task-directory task) default-directory)))
    (if buffer
        (with-current-buffer buffer
          (save-excursion
            (save-restriction
              (widen)
              (goto-char marker)
              (let ((default-directory directory))
                (funcall function)))))
      (with-temp-buffer
        (setq default-directory directory)
        (funcall function)))))

(defun ob-mesos--running ()
  "Return the tasks that have not ended, without groups and explained tasks.
The members of groups are included."
  (let (running)
    (maphash (lambda (_id task)
               (unless (or (ob-mesos-task-done task)
                           (ob-mesos-task-members task)
                           (ob-mesos-task-not-run-p
                            (or (ob-mesos-task-group task) task)))
                 (push task running)))
             ob-mesos--tasks)
    running))

(defun ob-mesos--some-names (names)
  "Return the first ten of NAMES, a list of strings, as text for a message.
It says how many more there are."
  (let ((more (nthcdr 10 names)))
    (concat (string-join (seq-take names 10) ", ")
            (when more (format " and %d more" (length more))))))

(defun ob-mesos--count-down (tasks function)
  "Call FUNCTION with how many of TASKS have not ended, now and at each end."
  (let ((left (cl-count-if-not #'ob-mesos-task-done tasks)))
    (cl-labels ((ended (task)
                  (when (memq task tasks)
                    (setq left (1- left))
                    (when (zerop left)
                      (remove-hook 'ob-mesos-ended-functions #'ended))
                    (funcall function left))))
      (when (> left 0)
        ;; A message of FUNCTION about all tasks replaces those about single tasks.
        (add-hook 'ob-mesos-ended-functions #'ended 90)))
    (funcall function left)))

(defconst ob-mesos--batch-bytes 4000000
  "The largest number of bytes of bodies in a request.")

(defconst ob-mesos--batch-tasks 200
  "The largest number of tasks in a request, which takes some 20 ms.")

(defun ob-mesos--submit (tasks)
  "Send TASKS to their servers: what fits into one request each at once.
The rest follows soon, in the same order."
  (pcase-dolist (`(,_ . ,mine) (seq-group-by #'ob-mesos-task-master tasks))
    (ob-mesos--submit-some mine)))

(defun ob-mesos--submit-some (tasks &optional groups)
  "Submit the first of TASKS, all of one master, in one request.
What is left when that is full, or takes too long to make, is put off.
GROUPS are those that they are members of, which can have more."
  (let ((end (+ (float-time) ob-mesos--slice))
        (groups (or groups
                    (delq nil (delete-dups (mapcar #'ob-mesos-task-group tasks)))))
        batch (count 0) (size 0))
    (while (and tasks
                (or (null batch)
                    (and (< count ob-mesos--batch-tasks)
                         (< (float-time) end)
                         (< (+ size (ob-mesos--body-bytes (car tasks)))
                            ob-mesos--batch-bytes))))
      (let ((task (pop tasks)))
        (when (ob-mesos--make-block task)
          (push task batch)
          (cl-incf count)
          (cl-incf size (ob-mesos--body-bytes task)))))
    (when batch
      (ob-mesos--submit-batch (nreverse batch)))
    (cond (tasks (ob-mesos--enqueue #'ob-mesos--submit-some tasks groups))
          (t (dolist (group (cl-remove-if-not #'ob-mesos-task-more groups))
               (ob-mesos--enqueue #'ob-mesos--submit-more group))))))

(defun ob-mesos--submit-more (group)
  "Make the next members of GROUP, if there are more, and submit them."
  (when-let ((make (ob-mesos-task-more group))
             (members (funcall make)))
    (dolist (member members)
      (puthash (ob-mesos-task-id member) member ob-mesos--tasks))
    (ob-mesos--submit-some members)))

(defun ob-mesos--body-bytes (task)
  "Return the number of bytes of the body of TASK, 0 if it is not made yet."
  (string-bytes (or (plist-get (ob-mesos-task-block task) :body) "")))

(defun ob-mesos--make-block (task)
  "Return non-nil if TASK has a block to send; make that first if necessary."
  (condition-case err
      (progn
        (when-let ((make (ob-mesos-task-unmade task)))
          (setf (ob-mesos-task-unmade task) nil)
          (funcall make))
        (ob-mesos--check-text (ob-mesos-task-block task)))
    (error
     (setf (ob-mesos-task-block task) nil)
     (ob-mesos--refused task (error-message-string err))))
  (ob-mesos-task-block task))

(defun ob-mesos--check-text (value)
  "Signal a `user-error' if a string in VALUE, a block, is not Unicode text.
JSON cannot carry it."
  (pcase value
    ((pred stringp)
     (when (string-match-p "[^\x00-\xd7ff\xe000-\x10ffff]" value)
       (user-error "This is not Unicode text: %s"
                   (truncate-string-to-width (format "%S" value) 80 nil nil t))))
    ((pred consp)
     (while (consp value)
       (ob-mesos--check-text (pop value))))
    ((pred vectorp) (mapc #'ob-mesos--check-text value))
    ((pred hash-table-p)
     (maphash (lambda (key value)
                (ob-mesos--check-text key)
                (ob-mesos--check-text value))
              value))))

(defun ob-mesos--cancel-unmade (task)
  "End TASK if it is not submitted yet."
  (when (ob-mesos-task-unmade task)
    (setf (ob-mesos-task-unmade task) nil)
    (ob-mesos--refused task "Killed before it was submitted" "KILLED")))

(defun ob-mesos--submit-batch (tasks)
  "Send TASKS, all of one master, to its server in one request.
The server stores all of a request or nothing; if it refuses that, each
task is sent by itself, so that only those that are wrong are refused."
  (ob-mesos--request
   (ob-mesos-task-server (car tasks))
   :task/submit
   (list :blocks (vconcat (mapcar #'ob-mesos-task-block tasks)))
   (lambda (_ids) (mapc #'ob-mesos--stored tasks))
   (lambda (message)
     (dolist (task tasks)
       (cond ((ob-mesos-task-done task))
             ((ob-mesos-task-killed task)
              (ob-mesos--refused task "Killed before it was submitted" "KILLED"))
             ((cdr tasks) (ob-mesos--submit-batch (list task)))
             (t (ob-mesos--refused task message)))))))

(defun ob-mesos--request-kill (server ids &optional failure)
  "Ask SERVER to kill the tasks with IDS; FAILURE is as for `ob-mesos--send'."
  (dolist (id ids)
    (when-let ((task (gethash id ob-mesos--tasks)))
      (setf (ob-mesos-task-killed task) t)))
  (ob-mesos--request server :task/kill (list :ids (vconcat ids)) #'ignore failure))

(defun ob-mesos--stored (task)
  "Delete the parts of the block of TASK that the server has stored.
This applies to members of groups.  A block with secrets is kept, because
a new server needs the secrets again."
  (let ((block (ob-mesos-task-block task))
        (group (ob-mesos-task-group task)))
    (when (and group (not (plist-get block :secrets)))
      (let ((kept (list :stored t :name (plist-get block :name)
                        :directory (plist-get block :directory)
                        :reuse (plist-get block :reuse)))
            (first (ob-mesos-task-block (car (ob-mesos-task-members group)))))
        (setf (ob-mesos-task-block task)
              (if (equal first kept) first kept))))))

(defconst ob-mesos--kept-fields
  '(:state :terminal :message :reason :result :key :reused :reusedEnded :started
    :ended :exitStatus :signal :cpuSeconds :peakKiB :hostname :image)
  "The fields that the data of a member keeps after the end of the member.")

(defvar ob-mesos--shared-strings (make-hash-table :test #'equal :weakness 'key)
  "The strings that the data of several members shares.")

(defun ob-mesos--compact (task)
  "Delete the unused fields from the data of TASK, an ended member.
With 10,000 members, a garbage collection takes 8 ms less."
  (cl-flet ((shared (string)
              (or (gethash string ob-mesos--shared-strings)
                  (puthash string string ob-mesos--shared-strings))))
    (setf (ob-mesos-task-data task)
          (cl-loop for (field value) on (ob-mesos-task-data task) by #'cddr
                   when (and (memq field ob-mesos--kept-fields)
                             (not (member value '(nil ""))))
                   append (list field
                                (pcase field
                                  ((or :state :message :reason :hostname :image)
                                   (shared value))
                                  ((and :result
                                        (guard (not (eq t (plist-get value :truncated)))))
                                   (list :stdout (plist-get value :stdout)
                                         :stderr (shared (or (plist-get value :stderr) ""))))
                                  (_ value)))))))

(defun ob-mesos--refused (task message &optional state)
  "End TASK, which is not on a server, with MESSAGE and the state STATE.
The default state is ERROR."
  (ob-mesos--enqueue
   #'run-hook-with-args 'ob-mesos-status-functions
   (list :id (ob-mesos-task-id task) :state (or state "ERROR") :terminal t
         :message message)))

(defun ob-mesos--request-tasks (server ids each done)
  "Request the tasks with IDS from SERVER; call EACH with the data of each.
One answer contains a limited amount of output; the remaining tasks are
requested after it.  In the end call DONE with the ids that are unknown."
  (ob-mesos--request
   server :task/get (list :ids (vconcat ids))
   (lambda (result)
     (let ((unknown (make-hash-table :test #'equal))
           (omitted (append (plist-get result :omitted) nil)))
       (dolist (id ids) (puthash id t unknown))
       (dolist (id omitted) (remhash id unknown))
       (seq-do (lambda (data)
                 (remhash (plist-get data :id) unknown)
                 (funcall each data))
               (plist-get result :tasks))
       (let ((unknown (hash-table-keys unknown)))
         (if omitted
             (ob-mesos--request-tasks
              server omitted each
              (lambda (more) (funcall done (append unknown more))))
           (funcall done unknown)))))))

(defun ob-mesos--get (server ids)
  "Ask SERVER what became of the tasks with IDS."
  (ob-mesos--request-tasks
   server ids
   (lambda (data)
     (when-let ((task (gethash (plist-get data :id) ob-mesos--tasks)))
       (setf (ob-mesos-task-master task) (ob-mesos--server-master server)))
     (ob-mesos--enqueue #'run-hook-with-args 'ob-mesos-status-functions data))
   (lambda (unknown)
     (dolist (id unknown)
       (ob-mesos--unknown server id)))))

(defun ob-mesos--get-result (server id)
  "Ask SERVER for the task ID, which has ended, and its result."
  (ob-mesos--get server (list id)))

(defun ob-mesos--unknown (server id)
  "SERVER does not know the task ID; submit it again if that can be.
An id is the same task for ever, so this never runs a block twice."
  (let ((task (gethash id ob-mesos--tasks)))
    (cond
     ((or (null task)
          (not (equal (ob-mesos-task-master task)
                      (ob-mesos--server-master server)))))
     ((ob-mesos-task-unmade task))
     ((plist-get (ob-mesos-task-block task) :stored)
      (ob-mesos--refused task "The server has lost it"))
     ((ob-mesos-task-block task)
      (ob-mesos--submit (list task)))
     ((ob-mesos-task-group task)
      (ob-mesos--refused task "It was not submitted before Emacs ended"))
     ((ob-mesos--waited-for-values-p task)
      (ob-mesos--refused task ob-mesos--values-lost))
     (t
      (remhash id ob-mesos--tasks)
      (message "ob-mesos: no task %s is known" id)))))

(defun ob-mesos--waited-for-values-p (task)
  "Return non-nil if the placeholder of TASK is that of a task not submitted.
A group is not before it has all values."
  (let ((marker (ob-mesos-task-result-marker task)))
    (when (and marker (marker-buffer marker))
      (with-current-buffer (marker-buffer marker)
        (save-excursion
          (save-restriction
            (widen)
            (goto-char marker)
            (looking-at-p (format ".*QUEUED .*%s" ob-mesos--waits-for-values))))))))

(defconst ob-mesos--values-lost
  "It waited for values when Emacs ended, and they are not known; run the block again"
  "The message of a task that cannot get the values that it waits for.")

(defconst ob-mesos--waits-for-values "waits for its values"
  "The message of a task that waits for the values of other tasks.")

(defun ob-mesos--resume (server)
  "After a new start of SERVER ask for all of its tasks that have not ended.
At the first start no task can be lost: they wait to be submitted."
  (let (ids)
    (maphash (lambda (id task)
               (when (and (ob-mesos--server-restarted server)
                          (not (ob-mesos-task-done task))
                          (not (ob-mesos-task-local task))
                          (eq server (ob-mesos-task-server task)))
                 (push id ids)))
             ob-mesos--tasks)
    (when ids
      (ob-mesos--get server ids)
      (ob-mesos--tell-secrets-again (mapcar (lambda (id) (gethash id ob-mesos--tasks))
                                            ids)))))

(defun ob-mesos--tell-secrets-again (tasks)
  "Submit those of TASKS again that have secrets, for a new server."
  (ob-mesos--submit
   (cl-remove-if-not (lambda (task)
                       (plist-get (ob-mesos-task-block task) :secrets))
                     tasks)))

(defun ob-mesos--addresses (data)
  "Where the ports of the task with DATA are reached, in order."
  (mapcar (lambda (port) (format "%s:%s" (plist-get data :hostname) port))
          (plist-get data :ports)))

(defun ob-mesos--given-up (server why)
  "End the tasks of SERVER, which does not start because of WHY.
A task that a server has stored may go on; its result can be inserted
later, unless this is a batch Emacs, which would wait for it for ever."
  (maphash (lambda (_id task)
             (when (and (eq server (ob-mesos-task-server task))
                        (ob-mesos-task-block task)
                        (not (ob-mesos-task-done task))
                        (or noninteractive (null (ob-mesos-task-data task))))
               (ob-mesos--refused task (concat "The server does not start: "
                                               why))))
           ob-mesos--tasks))

;;;; The end of Emacs

(defcustom ob-mesos-on-exit 'ask
  "What to do with running tasks when Emacs exits."
  :type '(choice (const :tag "Ask" ask)
                 (const :tag "Let them continue" keep)
                 (const :tag "Kill them" kill))
  :group 'ob-mesos)

(defvar ob-mesos--kill-at-exit nil
  "Non-nil if the user wants running tasks to be killed when Emacs exits.")

(defun ob-mesos--query-exit ()
  "Ask what is to become of running tasks, if the user wants to be asked."
  (let ((running (ob-mesos--running)))
    (when (and running (eq ob-mesos-on-exit 'ask) (not noninteractive))
      (setq ob-mesos--kill-at-exit
            (yes-or-no-p
             (format (ngettext "%d task runs on the cluster; kill it? "
                               "%d tasks run on the cluster; kill them? "
                               (length running))
                     (length running))))
      (add-hook 'post-command-hook #'ob-mesos--forget-answer))
    t))

(defun ob-mesos--forget-answer ()
  "Forget the answer of the user once Emacs has not exited after all."
  (when (zerop (minibuffer-depth))
    (setq ob-mesos--kill-at-exit nil)
    (remove-hook 'post-command-hook #'ob-mesos--forget-answer)))

(defun ob-mesos--on-exit ()
  "End the servers; tasks go on unless the user wants otherwise."
  (let ((doomed (and (or ob-mesos--kill-at-exit (eq ob-mesos-on-exit 'kill))
                     (ob-mesos--running))))
    (dolist (server ob-mesos--servers)
      (ob-mesos--disconnect
       server
       (cl-loop for task in doomed
                when (equal (ob-mesos-task-master task)
                            (ob-mesos--server-master server))
                collect (ob-mesos-task-id task))))))

(defun ob-mesos--prepare-exit (_server)
  "Let the end of Emacs end the servers."
  (add-hook 'kill-emacs-query-functions #'ob-mesos--query-exit)
  (add-hook 'kill-emacs-hook #'ob-mesos--on-exit))

(add-hook 'ob-mesos-starting-functions #'ob-mesos--prepare-exit)
(add-hook 'ob-mesos-result-omitted-functions #'ob-mesos--get-result)
(add-hook 'ob-mesos-connected-functions #'ob-mesos--resume)
(add-hook 'ob-mesos-disconnected-functions #'ob-mesos--given-up)

(defun ob-mesos--whole-lines (text)
  "TEXT, with a newline at its end unless it is empty."
  (if (or (string-empty-p text) (string-suffix-p "\n" text))
      text
    (concat text "\n")))

(provide 'ob-mesos-task)
;;; ob-mesos-task.el ends here
