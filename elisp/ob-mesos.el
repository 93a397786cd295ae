;;; ob-mesos.el --- Org source blocks on a Mesos cluster  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;; Author: The ob-mesos contributors
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: literate programming, processes, tools
;; URL: https://www.gnu.org/software/emacs/

;;; Commentary:

;; An Org Babel language, `mesos'.  C-c C-c on a block hands it to a server
;; that runs it as a task of a cluster; the embedded one-machine cluster if
;; no other is named.  Emacs goes on at once; the last lines of output and
;; then the result appear under #+RESULTS:.
;;
;;   #+begin_src mesos :cpus 0.5 :mem 64 :lang python
;;   print("hello")
;;   #+end_src

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-mesos-rpc)
(require 'ob-mesos-task)
(require 'ob-mesos-args)
(require 'ob-mesos-submit)
(require 'ob-mesos-adopt)
(require 'ob-mesos-run)
(require 'ob-mesos-mode)
(require 'ob-mesos-export)
(require 'ob-mesos-list)
(require 'ob-mesos-agents)

(defcustom ob-mesos-on-exit 'ask
  "What becomes of running tasks when Emacs ends."
  :type '(choice (const :tag "Ask" ask)
                 (const :tag "They go on" keep)
                 (const :tag "They are killed" kill))
  :group 'ob-mesos)

(defvar org-babel-default-header-args:mesos
  '((:results . "output") (:mesos . ob-mesos--entered))
  "Default header arguments of mesos blocks.")

(defvar org-babel-header-args:mesos
  (mapcar (lambda (argument) (cons (car argument) :any))
          ob-mesos--header-arguments)
  "Header arguments of mesos blocks, for completion and `org-lint'.")

(add-to-list 'org-src-lang-modes '("mesos" . sh))

;;;###autoload
(defun org-babel-execute:mesos (body params)
  "Run BODY on the cluster as PARAMS say.
Return at once; the result is inserted when it is there.  A block whose
value is needed at once, because another refers to it that does not run
on a cluster, or in an export, is waited for."
  (ob-mesos--execute-block "mesos" body params))

(defun org-babel-prep-session:mesos (_session _params)
  "There are no sessions on a cluster."
  (user-error "A mesos block has no session"))

;;;; Commands

(defun ob-mesos--task-at-point ()
  "The task of the block, call or placeholder at point."
  (save-excursion
    (let* ((results (and (memq (org-element-type (org-element-context))
                               '(src-block babel-call))
                         (org-babel-where-is-src-block-result))))
      (when results
        (goto-char results)
        (forward-line 1)))
    (beginning-of-line)
    (when (looking-at (concat "[ \t]*: " ob-mesos--placeholder-regexp))
      (match-string-no-properties 1))))

;;;###autoload
(defun ob-mesos-kill ()
  "End the task of the block at point."
  (interactive)
  (let* ((id (or (ob-mesos--task-at-point)
                 (user-error "No task runs for what is here")))
         (task (gethash id ob-mesos--tasks))
         (ids (if task (ob-mesos--ids task) (list id))))
    (if ids
        (ob-mesos--request (ob-mesos-list--server (car ids))
                           :task/kill (list :ids (vconcat ids))
                           (lambda (_) (message "ob-mesos: %s is told to end" id)))
      (ob-mesos--refused task "Killed before it was launched"))))

;;;; The mode line

(defvar ob-mesos-mode-line "" "How many tasks run, for the mode line.")
(put 'ob-mesos-mode-line 'risky-local-variable t)

(defun ob-mesos--update-mode-line (&rest _)
  "Show how many tasks there are, and how the clusters are.
A cluster that is not reached makes the number end in \"!\", one that was
not reached yet in \"?\"; the mouse tells since when, and why."
  (let* ((count (length (ob-mesos--running)))
         (remote (cl-remove "local" (ob-mesos--live-servers) :test #'equal
                            :key #'ob-mesos--server-master)))
    (setq ob-mesos-mode-line
          (cond
           ((and (zerop count) (null remote)) "")
           ((null remote) (format " mesos:%d" count))
           (t
            (propertize
             (concat (format " mesos:%d" count)
                     (cond ((cl-some #'ob-mesos--server-trouble remote) "!")
                           ((cl-every #'ob-mesos--server-since remote) "")
                           (t "?")))
             'face (and (cl-some #'ob-mesos--server-trouble remote) 'error)
             'help-echo (mapconcat #'ob-mesos--cluster-state remote "\n")))))
    (force-mode-line-update t)))

(defun ob-mesos--cluster-state (server)
  "A sentence about the cluster of SERVER."
  (let ((since (ob-mesos--server-since server))
        (trouble (ob-mesos--server-trouble server)))
    (format "%s: %s" (ob-mesos--server-master server)
            (cond ((not since) "connecting")
                  (trouble (format "not connected since %s: %s" since trouble))
                  (t (format "connected since %s" since))))))

(unless (memq 'ob-mesos-mode-line global-mode-string)
  (setq global-mode-string
        (append (or global-mode-string '("")) '(ob-mesos-mode-line))))
(add-hook 'ob-mesos-launched-functions #'ob-mesos--update-mode-line)
(add-hook 'ob-mesos-finished-functions #'ob-mesos--update-mode-line)
(add-hook 'ob-mesos-cluster-functions #'ob-mesos--update-mode-line)

;;;; The end of Emacs

(defvar ob-mesos--kill-at-exit nil "Whether the user wants that.")

(defun ob-mesos--query-exit ()
  "Ask what is to become of running tasks, if the user wants to be asked."
  (let ((running (ob-mesos--running)))
    (when (and running (eq ob-mesos-on-exit 'ask) (not noninteractive))
      (setq ob-mesos--kill-at-exit
            (yes-or-no-p
             (format (ngettext "%d task runs on the cluster; kill it? "
                               "%d tasks run on the cluster; kill them? "
                               (length running))
                     (length running)))))
    t))

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

(add-hook 'kill-emacs-query-functions #'ob-mesos--query-exit)
(add-hook 'kill-emacs-hook #'ob-mesos--on-exit)
(defun ob-mesos--complete-here ()
  "Let header arguments be completed in this buffer."
  (add-hook 'completion-at-point-functions #'ob-mesos-completion-at-point nil t))

(add-hook 'org-mode-hook #'ob-mesos--complete-here)
(add-hook 'org-mode-hook #'ob-mesos--attach-if-live)
(add-hook 'after-revert-hook #'ob-mesos--attach-if-live)

(provide 'ob-mesos)
;;; ob-mesos.el ends here
