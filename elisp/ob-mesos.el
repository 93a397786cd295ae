;;; ob-mesos.el --- Org source blocks on a Mesos cluster  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;; Author: The ob-mesos contributors
;; Version: 0.3.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: literate programming, processes, tools
;; URL: https://www.gnu.org/software/emacs/

;;; Commentary:

;; An Org Babel language, `mesos'.  C-c C-c on a block sends the block to a
;; server, which runs it as a task of a Mesos cluster, or of the embedded
;; cluster, this machine, if no master is set.  Emacs does not wait.  The
;; last lines of the output, and later the result, appear below #+RESULTS:.
;;
;; Turn on `ob-mesos-global-mode'; then C-c C-c runs
;;
;;   #+begin_src mesos :cpus 0.5 :mem 64 :lang python
;;   print("hello")
;;   #+end_src

;;; Code:

;; The commands of the other files are autoloaded with all of them.
;;;###autoload (autoload 'ob-mesos-agents "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-browse-port "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-execute "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-execute-buffer "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-execute-region "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-execute-stale "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-execute-subtree "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-explain "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-insert-header-args "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-list "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-usage "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-offers "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-open-ui "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-kill "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-provenance "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-rerun "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-rerun-failed "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-log "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-errors "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-sessions "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-shell "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-files "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-release "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-send "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-jump "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-menu "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-doctor "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-install-server "ob-mesos" nil t)
;;;###autoload (autoload 'ob-mesos-reconnect "ob-mesos" nil t)

(require 'cl-lib)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-mesos-rpc)
(require 'ob-mesos-task)
(require 'ob-mesos-args)
(require 'ob-mesos-submit)
(require 'ob-mesos-resume)
(require 'ob-mesos-run)
(require 'ob-mesos-mode)
(require 'ob-mesos-export)
(require 'ob-mesos-batch)
(require 'ob-mesos-exec)
(require 'ob-mesos-list)
(require 'ob-mesos-agents)
(require 'ob-mesos-sessions)
(require 'ob-mesos-usage)
(require 'ob-mesos-menu)
(require 'ob-mesos-doctor)
(require 'ob-mesos-install)

(defvar org-babel-default-header-args:mesos '((:results . "output"))
  "Default header arguments of mesos blocks.")

(defvar org-babel-header-args:mesos
  (mapcar (lambda (argument) (cons (car argument) :any))
          ob-mesos--header-arguments)
  "Header arguments of mesos blocks, for completion and `org-lint'.")

;;;###autoload
(defun org-babel-execute:mesos (body params)
  "Run BODY on the cluster as PARAMS say.
Return at once; the result is inserted when it is there.  A block whose
value is needed at once, because another refers to it that does not run
on a cluster, or in an export, is waited for."
  (ob-mesos--execute-block "mesos" body params))

(defun org-babel-prep-session:mesos (_session _params)
  "Signal that a session on a cluster has no buffer of its own."
  (user-error "A session on a cluster begins with its first block; see `ob-mesos-sessions'"))

;;;; The mode line

(defun ob-mesos--update-mode-line ()
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
    (format "%s: %s" (ob-mesos--master-to-show (ob-mesos--server-master server))
            (cond ((not since) "connecting")
                  (trouble (format "not connected since %s: %s" since trouble))
                  (t (format "connected since %s" since))))))

(defvar ob-mesos--mode-line-timer nil "The timer that updates the mode line, or nil.")

(defun ob-mesos--update-mode-line-soon (&rest _)
  "Update the mode line, once for all events of a moment."
  (unless ob-mesos--mode-line-timer
    (setq ob-mesos--mode-line-timer
          (run-at-time 0.1 nil (lambda ()
                                 (setq ob-mesos--mode-line-timer nil)
                                 (ob-mesos--update-mode-line))))))

(add-hook 'ob-mesos-launched-functions #'ob-mesos--update-mode-line-soon)
(add-hook 'ob-mesos-ended-functions #'ob-mesos--update-mode-line-soon)
(add-hook 'ob-mesos-cluster-functions #'ob-mesos--update-mode-line-soon)

(provide 'ob-mesos)
;;; ob-mesos.el ends here
