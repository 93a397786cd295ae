;;; ob-mesos-menu.el --- Commands for the block at point  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Commands for the block or call at point, a menu of all commands, their
;; keys, which `ob-mesos-global-mode' binds, and notifications.

;;; Code:

(require 'cl-lib)
(require 'transient)
(require 'org)
(require 'ob-mesos-mode)
(require 'ob-mesos-exec)
(require 'ob-mesos-list)
(require 'ob-mesos-doctor)
(require 'ob-mesos-agents)
(require 'ob-mesos-sessions)
(require 'ob-mesos-usage)
(require 'ob-mesos-run)
(require 'ob-mesos-stale)

;;;; The task at point

(defun ob-mesos--placeholder-here ()
  "Return the id in the placeholder in the line at point, or nil."
  (save-excursion
    (beginning-of-line)
    (when (looking-at (concat "[ \t]*: " ob-mesos--placeholder-regexp))
      (match-string-no-properties 1))))

(defun ob-mesos--latest-task (position)
  "Return the latest task of the block or call at POSITION, or nil.
One that has not ended comes before those that have."
  (let (latest)
    (maphash
     (lambda (_id task)
       (when (and (ob-mesos--block-at-p task position)
                  (or (null latest) (ob-mesos-task-done latest)))
         (setq latest task)))
     ob-mesos--tasks)
    latest))

(defun ob-mesos--id-at-point ()
  "Return the id of the task at point, or signal a `user-error'.
That is the task of the placeholder, block or call at point; the latest
one, if it has ended."
  (or (and (derived-mode-p 'ob-mesos-list-mode) (tabulated-list-get-id))
      (ob-mesos--placeholder-here)
      (when (derived-mode-p 'org-mode)
        (let* ((element (org-element-context))
               (task (and (ob-mesos--executable-p element)
                          (org-with-wide-buffer
                           (ob-mesos--latest-task
                            (ob-mesos--element-begin element))))))
          (if task (ob-mesos-task-id task)
            (save-excursion
              (when-let ((results (and (memq (org-element-type element)
                                             '(src-block babel-call))
                                       (org-babel-where-is-src-block-result))))
                (goto-char results)
                (forward-line 1)
                (ob-mesos--placeholder-here))))))
      (user-error "No task is known of what is here")))

(defun ob-mesos-kill ()
  "Kill the task of the block, call or placeholder at point."
  (interactive)
  (let* ((id (ob-mesos--id-at-point))
         (task (gethash id ob-mesos--tasks)))
    (when (and task (ob-mesos-task-done task))
      (user-error "%s has ended" id))
    (if task
        (ob-mesos--kill-task task)
      (ob-mesos--request-kill (ob-mesos-list--server id) (list id)))
    (message "ob-mesos: %s is killed" id)))

(defun ob-mesos-execute-maybe (&optional force)
  "Run the block or call at point, on the cluster if it is a cluster block.
Otherwise Org runs it.  With a prefix argument FORCE, run it even if
there is a result to reuse."
  (interactive "P")
  (if (ob-mesos--cluster-element)
      (ob-mesos-execute force)
    (let ((current-prefix-arg force))
      (call-interactively #'org-babel-execute-maybe))))

(defun ob-mesos-rerun ()
  "Run the block or call at point again; kill its task first."
  (interactive)
  (let* ((element (ob-mesos--element-for-command))
         (task (org-with-wide-buffer
                (ob-mesos--task-at (ob-mesos--element-begin element)))))
    (when task
      (ob-mesos--kill-task task)
      ;; That can have changed the buffer.
      (setq element (ob-mesos--element-for-command)))
    (ob-mesos--execute-element element "no")))

(defun ob-mesos--member-at-point ()
  "Return the id of the task at point; of a member, if that is a group."
  (let* ((id (ob-mesos--id-at-point))
         (task (gethash id ob-mesos--tasks)))
    (if (and task (ob-mesos-task-members task))
        (ob-mesos-task-id (ob-mesos--read-member task))
      id)))

(defun ob-mesos--read-member (group)
  "Return the member of GROUP that the user chooses by its title.
Members with one title are told apart by their numbers."
  (let* ((members (ob-mesos-task-members group))
         (titles (mapcar #'ob-mesos-task-title members))
         (counts (make-hash-table :test #'equal))
         choices)
    (dolist (title titles)
      (cl-incf (gethash title counts 0)))
    (cl-loop for member in members
             for title in titles
             for index from 0
             do (push (cons (if (> (gethash title counts) 1)
                                (format "%s (%d)" title index)
                              title)
                            member)
                      choices))
    (cdr (assoc (completing-read "Member: " (nreverse choices) nil t) choices))))

(defun ob-mesos--log (path)
  "Show the file PATH of the task at point; of a member, if that is a group."
  (let ((id (ob-mesos--member-at-point)))
    (ob-mesos-log-show (ob-mesos-list--server id) id path)))

(defun ob-mesos-log ()
  "Show and follow the standard output of the task at point."
  (interactive)
  (ob-mesos--log "stdout"))

(defun ob-mesos-errors ()
  "Show and follow the standard error of the task at point."
  (interactive)
  (ob-mesos--log "stderr"))

(defun ob-mesos--follow (task)
  "Show and follow the standard output of TASK; of a member, if it is a group."
  (let ((one (if (ob-mesos-task-members task) (ob-mesos--read-member task) task)))
    (ob-mesos-log-show (ob-mesos-task-server one) (ob-mesos-task-id one) "stdout")))

(add-hook 'ob-mesos-follow-functions #'ob-mesos--follow)

;;;; The provenance of a result

(defun ob-mesos-provenance ()
  "Insert a drawer with the provenance of the result at point below it.
The drawer contains a table with the task, agent, times, key and versions.
With `:provenance yes', each result gets such a drawer."
  (interactive)
  (let* ((element (ob-mesos--element-for-command))
         (begin (copy-marker (ob-mesos--element-begin element)))
         (task (org-with-wide-buffer (ob-mesos--latest-task begin))))
    (cond
     ((ob-mesos--inline-p element)
      (user-error "The result of an inline block cannot have a drawer"))
     ((and task (not (ob-mesos-task-done task)))
      (user-error "%s has not ended" (ob-mesos-task-id task)))
     (task (ob-mesos--write-provenance task begin))
     (t (ob-mesos--ask-for-provenance element begin)))))

(defun ob-mesos--write-provenance (task begin)
  "Insert the drawer of TASK below the result of the block or call at BEGIN."
  (barf-if-buffer-read-only)
  (org-with-wide-buffer
   (goto-char begin)
   (unless (org-babel-where-is-src-block-result)
     (user-error "There is no result here"))
   (ob-mesos--replace-provenance task)))

(defun ob-mesos--ask-for-provenance (element begin)
  "Insert the drawer of the latest task of ELEMENT that the server knows.
BEGIN is a marker at its beginning: results can come in meanwhile."
  (let* ((name (or (org-element-property :name element)
                   (user-error "No task is known of this block, which has no name")))
         (file (or (buffer-file-name (buffer-base-buffer)) ""))
         (server (ob-mesos--server
                  (let ((info (ob-mesos--node-info
                               (ob-mesos--node-at begin) t)))
                    (ob-mesos--master (nth 2 info)))))
         (data (car (last (cl-remove-if-not
                           (lambda (data)
                             (and (equal name (plist-get data :name))
                                  (equal file (plist-get data :document))
                                  (eq t (plist-get data :terminal))))
                           (append (plist-get (ob-mesos--call server :task/list
                                                              (make-hash-table :size 1))
                                              :tasks)
                                   nil))))))
    (unless data
      (user-error "No task is known of %s" name))
    (ob-mesos--write-provenance
     (ob-mesos-task--make :id (plist-get data :id) :data data
                          :master (ob-mesos--server-master server))
     begin)))

;;;; Inside the task at point

(defun ob-mesos--running-here ()
  "Return the id of the task at point, which must run."
  (let* ((id (ob-mesos--member-at-point))
         (state (plist-get (ob-mesos-exec-data (ob-mesos-list--server id) id) :state)))
    (unless (member state '("RUNNING" "KILLING"))
      (user-error "%s does not run; it is %s" id (or state "not known")))
    id))

(defun ob-mesos-shell ()
  "Open a terminal with a shell in the container of the running task at point.
The shell has the directory and the environment of the task.  See
`ob-mesos-terminal'."
  (interactive)
  (let ((id (ob-mesos--running-here)))
    (ob-mesos-exec-shell (ob-mesos-list--server id) id)))

(defun ob-mesos-files ()
  "Visit the sandbox of the task at point in Dired.
While the task runs, you can also change the files, and visit the other
files of its container.  After the task has ended, you can read the files
until the agent deletes the sandbox."
  (interactive)
  (let* ((id (ob-mesos--member-at-point))
         (server (ob-mesos-list--server id)))
    ;; It is started, and TRAMP knows of it.
    (unless (plist-get (ob-mesos-exec-data server id) :agent)
      (user-error "%s was not launched; it has no files" id))
    (require 'tramp)
    (ob-mesos-tramp-enable server)
    (dired (format "/mesos:%s:" id))))

(defun ob-mesos-send (text &optional id)
  "Send TEXT, a line, to the standard input of the running task ID.
That is the one at point if ID is nil.  Its block must have `:stdin
interactive'."
  (interactive (let ((id (ob-mesos--running-here)))
                 (list (read-string "Send a line: ") id)))
  (let ((id (or id (ob-mesos--running-here))))
    (ob-mesos-exec-send (ob-mesos-list--server id) id (concat text "\n"))))

(defun ob-mesos-release ()
  "End the failed task at point, whose container `:keep' has kept."
  (interactive)
  (let ((id (ob-mesos--running-here)))
    (ob-mesos-exec-release (ob-mesos-list--server id) id)))

;;;; Where tasks run

(defun ob-mesos-jump ()
  "Move point to the next block or call whose task has not ended.
After the last one, continue at the beginning of the buffer."
  (interactive)
  (let (positions)
    (dolist (task (ob-mesos--running))
      (when-let ((position (car (last (ob-mesos--block-positions
                                       (or (ob-mesos-task-group task) task))))))
        (push position positions)))
    (setq positions (sort positions #'<))
    (let ((next (or (cl-find-if (lambda (position) (> position (point))) positions)
                    (car positions)
                    (user-error "No block of this buffer runs"))))
      (ob-mesos--show-position next))))

;;;; Where it is reached

(defun ob-mesos-browse-port ()
  "Visit a port of the task at point with `browse-url'.
The task is that of the block or call at point, or of the line of the
task list."
  (interactive)
  (let ((addresses (ob-mesos--addresses (ob-mesos-list--data-here))))
    (unless addresses
      (user-error "The task has no port"))
    (browse-url (concat "http://"
                        (if (cdr addresses)
                            (completing-read "Port: " addresses nil t)
                          (car addresses))))))

(defun ob-mesos-open-ui ()
  "Visit the page of the task at point in the master's web UI."
  (interactive)
  (let* ((id (plist-get (ob-mesos-list--data-here) :id))
         (url (plist-get (ob-mesos--call (ob-mesos-list--server id) :task/page
                                         (list :id id))
                         :url)))
    (unless url
      (user-error "There is no page on %s: it waits, or its cluster is the embedded one"
                  id))
    (browse-url url)))

(defun ob-mesos-list--data-here ()
  "What the server said last of the task at point."
  (if (derived-mode-p 'ob-mesos-list-mode)
      (ob-mesos-list--task)
    (let ((task (gethash (ob-mesos--id-at-point) ob-mesos--tasks)))
      (or (and task (ob-mesos-task-data task))
          (user-error "No task runs for what is here")))))

(define-key ob-mesos-list-mode-map "b" #'ob-mesos-browse-port)
(define-key ob-mesos-list-mode-map "u" #'ob-mesos-open-ui)
(define-key ob-mesos-list-mode-map "s" #'ob-mesos-shell)
(define-key ob-mesos-list-mode-map "f" #'ob-mesos-files)
(define-key ob-mesos-list-mode-map "i" #'ob-mesos-send)
(define-key ob-mesos-list-mode-map "L" #'ob-mesos-release)

;;;; Menu and keys

(transient-define-prefix ob-mesos-menu ()
  "Show a menu of the commands for blocks on a cluster."
  [["Block at point"
    ("e" "Run" ob-mesos-execute)
    ("r" "Run again" ob-mesos-rerun)
    ("F" "Run failed members again" ob-mesos-rerun-failed)
    ("x" "Explain: up to date?" ob-mesos-explain)
    ("P" "Provenance" ob-mesos-provenance)
    ("k" "Kill" ob-mesos-kill)
    ("l" "Output" ob-mesos-log)
    ("E" "Standard error" ob-mesos-errors)
    ("!" "Shell" ob-mesos-shell)
    ("f" "Files" ob-mesos-files)
    ("I" "Send a line" ob-mesos-send)
    ("L" "End failed task" ob-mesos-release)
    ("u" "Web UI" ob-mesos-open-ui)
    ("p" "Port" ob-mesos-browse-port)
    ("i" "Insert header argument" ob-mesos-insert-header-args)]
   ["Document"
    ("b" "Run buffer" ob-mesos-execute-buffer)
    ("B" "Run stale blocks" ob-mesos-execute-stale)
    ("s" "Run subtree" ob-mesos-execute-subtree)
    ("R" "Run region" ob-mesos-execute-region)
    ("j" "Next running block" ob-mesos-jump)
    ("c" "Reconnect" ob-mesos-reconnect)]
   ["Cluster"
    ("t" "Tasks" ob-mesos-list)
    ("S" "Sessions" ob-mesos-sessions)
    ("a" "Agents" ob-mesos-agents)
    ("o" "Offers" ob-mesos-offers)
    ("U" "Usage" ob-mesos-usage)
    ("d" "Doctor" ob-mesos-doctor)]])

(defvar ob-mesos-map
  (let ((map (make-sparse-keymap)))
    (pcase-dolist (`(,key . ,command)
                   '(("m" . ob-mesos-menu) ("e" . ob-mesos-execute)
                     ("r" . ob-mesos-rerun) ("k" . ob-mesos-kill)
                     ("F" . ob-mesos-rerun-failed) ("x" . ob-mesos-explain)
                     ("P" . ob-mesos-provenance)
                     ("B" . ob-mesos-execute-stale)
                     ("l" . ob-mesos-log) ("E" . ob-mesos-errors)
                     ("!" . ob-mesos-shell) ("f" . ob-mesos-files)
                     ("I" . ob-mesos-send) ("L" . ob-mesos-release)
                     ("u" . ob-mesos-open-ui) ("p" . ob-mesos-browse-port)
                     ("i" . ob-mesos-insert-header-args)
                     ("b" . ob-mesos-execute-buffer)
                     ("s" . ob-mesos-execute-subtree)
                     ("R" . ob-mesos-execute-region)
                     ("j" . ob-mesos-jump) ("c" . ob-mesos-reconnect)
                     ("t" . ob-mesos-list) ("S" . ob-mesos-sessions) ("a" . ob-mesos-agents)
                     ("o" . ob-mesos-offers) ("U" . ob-mesos-usage)
                     ("d" . ob-mesos-doctor)))
      (define-key map key command))
    map)
  "Keymap of the commands; m in `org-babel-map', in `ob-mesos-global-mode'.")

(defun ob-mesos--bind-keys ()
  "Bind the commands while `ob-mesos-global-mode' is on."
  (define-key org-babel-map "m" (and ob-mesos-global-mode ob-mesos-map))
  (dolist (command '(org-babel-execute-src-block org-babel-execute-maybe))
    (define-key org-mode-map (vector 'remap command)
      (and ob-mesos-global-mode #'ob-mesos-execute-maybe))))

(add-hook 'ob-mesos-global-mode-hook #'ob-mesos--bind-keys)

;;;; Notifications

(defcustom ob-mesos-notify-after nil
  "Notify of the end of a task that has run for at least this many seconds.
This uses desktop notifications.  If nil, there are no notifications."
  :type '(choice (const :tag "Never" nil) number)
  :group 'ob-mesos)

(declare-function notifications-notify "notifications" (&rest params))

(defun ob-mesos--notify (task)
  "Notify the user of the end of TASK if it has taken long."
  (let ((started (plist-get (ob-mesos-task-data task) :started)))
    (when (and ob-mesos-notify-after started
               (null (ob-mesos-task-group task))
               (>= (- (float-time) (/ started 1000.0)) ob-mesos-notify-after)
               (require 'notifications nil t))
      (condition-case err
          (notifications-notify
           :title (format "%s: %s" (ob-mesos-task-id task) (ob-mesos-task-state task))
           :body (or (plist-get (ob-mesos-task-data task) :message) "")
           :app-name "Emacs")
        (dbus-error (message "ob-mesos: no notification: %s"
                             (error-message-string err)))))))

(add-hook 'ob-mesos-ended-functions #'ob-mesos--notify)

(provide 'ob-mesos-menu)
;;; ob-mesos-menu.el ends here
