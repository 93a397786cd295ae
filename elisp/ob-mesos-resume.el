;;; ob-mesos-resume.el --- Tasks of an Emacs that has ended  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Inserts the results of the tasks whose placeholders are in a document,
;; also if another Emacs has submitted them.  If an Emacs exits while one of
;; its tasks waits for values, the next Emacs finds the block by the
;; placeholder, and the tasks that the block depends on by the names of
;; their blocks, and submits the body of the task.

;;; Code:

(require 'cl-lib)
(require 'org-element)
(require 'ob-mesos-execute)

;;;; Picking up results

(defun ob-mesos--placeholders ()
  "The placeholders in this buffer, (ID PLACE COUNT NEEDS) each.
COUNT is how many members a group has, nil for a task.  NEEDS is the text
about what a group waits for, which the server does not know."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char (point-min))
      (cl-loop while (re-search-forward
                      (concat ob-mesos--placeholder-before
                              ob-mesos--placeholder-regexp
                              "\\(?: [0-9]+ of \\([0-9]+\\) done\\| "
                              ob-mesos--waits-for-values ": \\([^=\n]+\\)\\)?")
                      nil t)
               collect (let ((id (match-string-no-properties 1))
                             (count (match-string 2))
                             (needs (match-string-no-properties 3)))
                         (list id
                               (copy-marker (ob-mesos--placeholder-begin))
                               (and count
                                    (min (string-to-number count)
                                         ob-mesos--most-members))
                               needs))))))

(defun ob-mesos-reconnect ()
  "Replace the placeholders in this buffer with the results of their tasks.
Request the tasks from the server of the document's master, which is
started if necessary, and from all other running servers."
  (interactive)
  (let ((found (ob-mesos--placeholders))
        (server (ob-mesos--server (ob-mesos--document-master)))
        ids files waiting)
    (pcase-dolist (`(,id ,place ,count ,needs) found)
      (let ((task (or (gethash id ob-mesos--tasks)
                      (puthash id (ob-mesos-task--make
                                   :id id
                                   :master (ob-mesos--server-master server))
                               ob-mesos--tasks))))
        (unless (ob-mesos-task-result-marker task)
          (setf (ob-mesos-task-result-marker task) place))
        (ob-mesos--follow-block task)
        (if (not (or (null (ob-mesos--task-file task))
                     (ob-mesos--own-buffer-p task (current-buffer))))
            (cl-pushnew (ob-mesos--task-file task) files :test #'equal)
          (setf (ob-mesos-task-result-marker task) place
                (ob-mesos-task-shown task) nil
                (ob-mesos-task-done task) nil)
          (when (and count (not (ob-mesos-task-members task)))
            (ob-mesos--restore-members task count))
          (cond ((or (not (ob-mesos-task-local task)) (ob-mesos-task-members task))
                 (if needs
                     (push (cons task needs) waiting)
                   (setq ids (append (ob-mesos--ids task) ids))))))))
    (cond
     (files (message "ob-mesos: results of blocks of %s are inserted there only"
                     (ob-mesos--some-names (nreverse files))))
     ((null found) (message "ob-mesos: no placeholder of a task is here")))
    (pcase-dolist (`(,group . ,needs) waiting)
      (ob-mesos--resume-group group needs))
    (when ids
      (dolist (each (cons server (remq server (ob-mesos--live-servers))))
        (ob-mesos--get each ids)))))

(define-obsolete-function-alias 'ob-mesos-attach #'ob-mesos-reconnect "0.2.0")

(defun ob-mesos--reconnect-if-live ()
  "Reconnect if there are placeholders and a live server."
  (when (and (ob-mesos--live-servers) (derived-mode-p 'org-mode)
             (ob-mesos--placeholders))
    (ob-mesos-reconnect)))

;;;; Placeholders and reverting

(defun ob-mesos--placeholder-lines (place)
  "Return the lines of the placeholder at PLACE, or nil if it is within a line."
  (save-excursion
    (goto-char place)
    (and (bolp)
         (buffer-substring-no-properties place (ob-mesos--placeholder-end)))))

(defun ob-mesos--show-as-in-file ()
  "Make the placeholders of this buffer those that its file has.
For `before-revert-hook': reverting is recorded for undo, which would
insert states and last lines again that were not recorded."
  (when-let ((found (and (derived-mode-p 'org-mode)
                         buffer-file-name
                         ;; A file elsewhere, or an encrypted one, is read once.
                         (not (find-file-name-handler buffer-file-name
                                                      'insert-file-contents))
                         (file-readable-p buffer-file-name)
                         (ob-mesos--placeholders)))
             (file buffer-file-name))
    (let ((saved (with-temp-buffer
                   (insert-file-contents file)
                   (cl-loop for (id place) in (ob-mesos--placeholders)
                            collect (cons id (ob-mesos--placeholder-lines place))))))
      (save-restriction
        (widen)
        (pcase-dolist (`(,id ,place . ,_) found)
          (let ((new (cdr (assoc id saved)))
                (old (ob-mesos--placeholder-lines place)))
            (unless (or (null new) (null old) (equal new old))
              (ob-mesos--edit-status
               (lambda ()
                 (ob-mesos--replace-lines
                  (marker-position place) (+ place (length old)) new))))))))))

;;;; Placeholders that undo and yanking insert

(defconst ob-mesos--commands-that-insert-again
  '(undo undo-only undo-redo yank yank-pop yank-from-kill-ring org-yank
         clipboard-yank mouse-yank-primary org-paste-subtree org-paste-special
         org-clone-subtree-with-time-shift evil-paste-after evil-paste-before)
  "Commands that insert text that was in a document before.")

(defun ob-mesos--replace-inserted-placeholders ()
  "Insert the results of ended tasks whose placeholders a command has inserted.
For `post-command-hook'.  Undo does so with the move of a running block,
redo with its submission, and yanking with a block that was killed."
  (when (and (memq this-command ob-mesos--commands-that-insert-again)
             ;; That is faster than to look for placeholders.
             (org-with-wide-buffer
              (goto-char (point-min))
              (search-forward "mesos:" nil t)))
    ;; The next undo command may continue this undo.
    (let ((last-command this-command))
      (pcase-dolist (`(,id ,marker . ,_) (ob-mesos--placeholders))
        (let ((task (gethash id ob-mesos--tasks)))
          (set-marker marker nil)
          (when (and task
                     (ob-mesos-task-done task)
                     (ob-mesos--placeholder-here-p task))
            (setf (ob-mesos-task-inserted task) (ob-mesos--insert-result task))))))))

(defun ob-mesos--placeholder-here-p (task)
  "Return non-nil if the placeholder of TASK is here, below its keyword.
Undo can insert the lines of a result one after the other."
  (when-let ((origin (ob-mesos--placeholder-origin task)))
    (eq (marker-buffer origin) (current-buffer))))

(defun ob-mesos--watch-insertions (tasks)
  "Call `ob-mesos--replace-inserted-placeholders' in the documents of TASKS."
  (let ((buffers (delete-dups
                  (mapcar (lambda (task)
                            (let ((marker (ob-mesos-task-block-marker
                                           (or (ob-mesos-task-group task) task))))
                              (and marker (marker-buffer marker))))
                          tasks))))
    (dolist (buffer (delq nil buffers))
      (with-current-buffer buffer
        (add-hook 'post-command-hook #'ob-mesos--replace-inserted-placeholders nil t)))))

(add-hook 'ob-mesos-launched-functions #'ob-mesos--watch-insertions)

;;;; Tasks that wait for values

(defun ob-mesos--resume-upstream (ids data master)
  "Register the tasks and groups that IDS, those a block waits for, belong to.
DATA is what the server of MASTER has answered about each task.  Return
\(NAME . TASK) for each block; TASK is a group if it has members."
  (let ((table (make-hash-table :test #'equal)) blocks)
    (dolist (each data)
      (puthash (plist-get each :id) each table))
    (pcase-dolist (`(,whole . ,members) (ob-mesos--whole-ids ids))
      (when-let ((known (ob-mesos--resume-block whole members table master)))
        (push known blocks)))
    (dolist (each data)
      (ob-mesos--enqueue #'run-hook-with-args 'ob-mesos-status-functions each))
    (nreverse blocks)))

(defun ob-mesos--whole-ids (ids)
  "Return (ID . MEMBERS) for each task and group that IDS belong to.
MEMBERS are the ids of the members in IDS, in order; nil for a task."
  (let (wholes)
    (dolist (id ids)
      (let* ((group (ob-mesos--group-id id))
             (whole (assoc (or group id) wholes)))
        (cond ((null whole) (push (cons (or group id) (and group (list id))) wholes))
              (group (push id (cdr whole))))))
    (cl-loop for (whole . members) in (nreverse wholes)
             collect (cons whole (nreverse members)))))

(defun ob-mesos--resume-block (id members table master)
  "Register the task ID on MASTER, a group if it has MEMBERS, with its block.
TABLE has the data of the tasks.  Return (NAME . TASK), or nil if the
task is unknown."
  (let* ((data (gethash (or (car members) id) table))
         (task (or (gethash id ob-mesos--tasks)
                   (and data (puthash id (ob-mesos-task--make :id id :master master)
                                      ob-mesos--tasks))))
         (name (if data (plist-get data :name) (and task (ob-mesos--block-name task))))
         (place (and name (org-babel-find-named-block name))))
    (when (and task members (null (ob-mesos-task-members task)))
      (ob-mesos--restore-members task (length members)))
    (when (and data place (null (ob-mesos-task-params task)))
      (let ((info (ob-mesos--node-info (ob-mesos--node-at place) t)))
        (dolist (each (cons task (ob-mesos-task-members task)))
          (ob-mesos--remember each info)))
      (unless members
        (setf (ob-mesos-task-data task) data)
        (when (ob-mesos--waits-for-body-p data)
          (ob-mesos--resume-task task (copy-marker place)
                                 (append (plist-get data :after) nil)))))
    (and task (cons name task))))

(defun ob-mesos--block-name (task)
  "Return the name of the block whose placeholder, that of TASK, is here."
  (when-let ((origin (ob-mesos--placeholder-origin task)))
    (nth 4 (ob-mesos--node-info (ob-mesos--node-at origin) t))))

(defun ob-mesos--waits-for-body-p (data)
  "Whether the task that DATA is about waits for what it is to run."
  (and (eq t (plist-get data :bodyLater))
       (equal "QUEUED" (plist-get data :state))))

(defun ob-mesos--resume-task (task marker ids)
  "Find out from the block or call at MARKER what TASK is to run.
It waits for values of the tasks with IDS, and the Emacs that has
submitted it is gone."
  (let (found)
    (ob-mesos--request-tasks
     (ob-mesos-task-server task) ids
     (lambda (data) (push data found))
     (lambda (unknown)
       (if (and (ob-mesos-task-local task)
                (cl-notevery (lambda (id) (gethash id ob-mesos--tasks)) unknown))
           (ob-mesos--refused task ob-mesos--values-lost)
         (condition-case err
             (ob-mesos--resume-with task marker ids found)
           (error (ob-mesos--give-up task (error-message-string err)))
           ;; It can be asked again.
           (quit (setf (ob-mesos-task-source task) nil
                       (ob-mesos-task-local task) nil)
                 (message "ob-mesos: %s waits; `ob-mesos-reconnect' asks again"
                          (ob-mesos-task-id task)))))))))

(defun ob-mesos--resume-with (task marker ids data)
  "Make the continuation of TASK, whose block or call is at MARKER.
It waits for the tasks with IDS, of which the server has answered DATA."
  (when (and (marker-buffer marker) (null (ob-mesos-task-continuation task)))
    (with-current-buffer (marker-buffer marker)
      (org-with-wide-buffer
       (goto-char marker)
       (let* ((node (ob-mesos--node-at marker))
              (info (ob-mesos--node-info node t))
              (known (progn
                       (ob-mesos--check-resumption task node info data)
                       (ob-mesos--resume-upstream ids data
                                                  (ob-mesos-task-master task)))))
         (setf (ob-mesos--node-references node)
               (ob-mesos--known-references (nth 2 info) known)
               (ob-mesos-task-directory task) (ob-mesos--document-directory)
               (ob-mesos-task-context task) marker
               (ob-mesos-task-needs task) (mapcar #'cdr known))
         (ob-mesos--with-program
          node
          (lambda (lang body params)
            (setf (ob-mesos-task-lang task) lang
                  (ob-mesos-task-source task) body
                  (ob-mesos-task-params task) params)
            (ob-mesos--set-block task (nth 4 info) params)
            (ob-mesos--prepare-task task body)))
         (if (ob-mesos-task-continuation task)
             (push task ob-mesos--waiting-tasks)
           (ob-mesos--launch task)))))))

(defun ob-mesos--check-resumption (task node info data)
  "Signal a `user-error' if TASK is not to be submitted by this Emacs.
NODE is its block, with INFO, and DATA is about the tasks that it needs.
Ask whether to evaluate the block, as Org does: it can have changed since
the user was asked, and anybody can write the placeholder of a group."
  (unless (ob-mesos--confirm-node node info)
    (user-error "Its block is not evaluated (`:eval')"))
  ;; A copy of a document gets no result of the original.
  (when (and (ob-mesos-task-local task)
             (cl-some (lambda (each)
                        (let ((document (plist-get each :document)))
                          (not (or (member document '(nil ""))
                                   (ob-mesos--same-file-p
                                    document (or buffer-file-name ""))))))
                      data))
    (user-error "%s" ob-mesos--values-lost)))

(defun ob-mesos--resume-group (group needs)
  "Find out what GROUP is to run, which waits for the values of NEEDS.
NEEDS is the text in its placeholder.  The Emacs that has made GROUP is
gone, and no server knows GROUP."
  (setf (ob-mesos-task-local group) t
        (ob-mesos-task-source group) "")
  (condition-case err
      (ob-mesos--resume-task group
                             (or (ob-mesos--placeholder-origin group)
                                 (user-error "%s" ob-mesos--values-lost))
                             (ob-mesos--needed-ids needs))
    (user-error (ob-mesos--refused group (error-message-string err)))))

(defun ob-mesos--known-references (params known)
  "Return what the references of PARAMS lead to, (TEXT NODE . INDEX) each.
KNOWN is a list of (NAME . TASK).  Signal a `user-error' if a reference
leads to a block on the cluster, and not to exactly one of KNOWN."
  (cl-loop for text in (ob-mesos--reference-texts params)
           for (name _ _ index) = (ob-mesos--parse-reference text)
           for tasks = (cl-loop for (other . task) in known
                                when (equal name other) collect task)
           if (= 1 (length tasks))
           collect (cons text (cons (ob-mesos--node-make :task (car tasks)) index))
           else if (and name (ob-mesos--cluster-block-p name))
           do (user-error "%s" ob-mesos--values-lost)))

(defun ob-mesos--cluster-block-p (name)
  "Return non-nil if the block NAME of this buffer is for the cluster."
  (when-let ((place (org-babel-find-named-block name)))
    (ob-mesos--cluster-info-p
     (ob-mesos--node-info (ob-mesos--node-at place) t))))

(defun ob-mesos--tell-secrets (task)
  "Tell the server of TASK the secrets that its block names.
It was submitted by an Emacs that is gone, and they are kept nowhere."
  (ob-mesos--recall task)
  (when-let ((secrets (ob-mesos--argument-named 'secret
                                                (ob-mesos-task-params task))))
    (ob-mesos--request (ob-mesos-task-server task) :task/submit
                       (list :blocks (vector (list :id (ob-mesos-task-id task)
                                                   :body "-" :secrets secrets)))
                       #'ignore)))

(defun ob-mesos--resume-if-needed (data)
  "Resume the task that DATA is about if it waits, and this Emacs has not made it."
  (when (ob-mesos--waits-for-body-p data)
    (let* ((task (gethash (plist-get data :id) ob-mesos--tasks))
           (origin (and task (null (ob-mesos-task-source task))
                        (ob-mesos--placeholder-origin task))))
      (when origin
        (setf (ob-mesos-task-source task) "")
        (ob-mesos--resume-task task origin (append (plist-get data :after) nil))))))

(defun ob-mesos--tell-secrets-if-needed (data)
  "Tell the secrets of the task that DATA is about if it waits for them."
  (when (and (eq t (plist-get data :secrets))
             (equal "QUEUED" (plist-get data :state)))
    (let ((task (gethash (plist-get data :id) ob-mesos--tasks)))
      (when (and task (null (ob-mesos-task-block task))
                 (null (ob-mesos-task-params task)))
        (ob-mesos--tell-secrets task)))))

(add-hook 'ob-mesos-status-functions #'ob-mesos--resume-if-needed 90)
(add-hook 'ob-mesos-status-functions #'ob-mesos--tell-secrets-if-needed 90)

(provide 'ob-mesos-resume)
;;; ob-mesos-resume.el ends here
