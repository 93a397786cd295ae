;;; ob-mesos-export.el --- Whole documents from a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Submits all mesos blocks and calls of a document in one request, waits
;; for them, and says on stderr how far it is.

;;; Code:

(require 'cl-lib)
(require 'org-element)
(require 'ob-mesos)
(require 'ob-mesos-run)

(defun ob-mesos--progress (text last)
  "Show TEXT on stderr, in place on a terminal; LAST ends the line there."
  (if (equal (getenv "OB_MESOS_TTY") "1")
      (princ (concat "\r\e[K" text (if last "\n" "")) #'external-debugging-output)
    (princ (concat text "\n") #'external-debugging-output)))

(defun ob-mesos--wait-for (tasks)
  "Wait for TASKS and show how far they are; return those that have failed."
  (let ((total (length tasks)) (start (float-time)) (shown -1))
    (ob-mesos--wait
     (lambda ()
       (let ((done (cl-count-if #'ob-mesos-task-done tasks)))
         (unless (= done shown)
           (setq shown done)
           (ob-mesos--progress (format "ob-mesos: %d of %d done, %.1f s" done total
                                       (- (float-time) start))
                               (= done total)))
         (= done total))))
    (cl-remove-if-not #'ob-mesos-task-failed-p tasks)))

(defun ob-mesos--tell-of-cluster (server)
  "Say how the cluster of SERVER is."
  (ob-mesos--progress
   (format "ob-mesos: %s" (or (ob-mesos--server-trouble server)
                              (concat "connected to "
                                      (ob-mesos--server-master server))))
   t))

(defun ob-mesos--tell-of-waiting (task)
  "Say why TASK waits, if it does and there is a reason."
  (when (equal (plist-get task :state) "QUEUED")
    (let ((why (plist-get task :message)))
      (unless (member why '(nil ""))
        (ob-mesos--progress (format "ob-mesos: %s waits: %s"
                                    (plist-get task :id) why)
                            t)))))

(defun ob-mesos-batch-run ()
  "Run the mesos blocks of the file named on the command line; for --batch.
The results are written into the file, or printed with --stdout.  The
exit status is 1 if a block has failed."
  (let* ((stdout (member "--stdout" command-line-args-left))
         (ob-mesos--master-above-all
          (cadr (member "--master" command-line-args-left)))
         (file (car (remove ob-mesos--master-above-all
                            (remove "--master"
                                    (remove "--stdout" command-line-args-left)))))
         (org-confirm-babel-evaluate nil)
         (inhibit-message t)
         (failed nil))
    (add-hook 'ob-mesos-cluster-functions #'ob-mesos--tell-of-cluster)
    (add-hook 'ob-mesos-status-functions #'ob-mesos--tell-of-waiting)
    (setq command-line-args-left nil
          ;; Nobody waits to type, and all of it ends soon.
          gc-cons-threshold (* 64 1024 1024))
    (condition-case err
        (with-current-buffer (find-file-noselect (expand-file-name file))
          (let ((tasks (ob-mesos--submit-buffer-and-wait)))
            (setq failed (ob-mesos--wait-for tasks)))
          (if stdout
              (princ (buffer-string))
            (save-buffer)))
      ((error quit)
       (let ((inhibit-message nil))
         (message "ob-mesos: %s" (error-message-string err)))
       (setq failed t)))
    (when (consp failed)
      (dolist (task failed)
        (ob-mesos--progress
         (format "ob-mesos: %s %s: %s" (ob-mesos-task-id task)
                 (ob-mesos-task-state task)
                 (plist-get (ob-mesos-task-data task) :message))
         t)))
    (kill-emacs (if failed 1 0))))

(provide 'ob-mesos-export)
;;; ob-mesos-export.el ends here
