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

(defun ob-mesos--mesos-here-p ()
  "Whether what is at point, a block or a call, is of the language mesos."
  (let ((element (org-element-context)))
    (pcase (org-element-type element)
      ('src-block (equal (org-element-property :language element) "mesos"))
      ('babel-call
       (save-excursion
         (let ((name (org-element-property :call element)))
           (goto-char (point-min))
           (let ((place (org-babel-find-named-block name)))
             (and place
                  (progn (goto-char place)
                         (equal (org-element-property
                                 :language (org-element-at-point))
                                "mesos")))))))
      (_ nil))))

(defun ob-mesos--submit-buffer ()
  "Submit all that is of the language mesos in this buffer, in one request.
Return their tasks in order."
  (let ((ob-mesos--collected (list t)))
    (org-babel-map-executables nil
      (when (ob-mesos--mesos-here-p)
        (if (eq (org-element-type (org-element-context)) 'babel-call)
            (org-babel-lob-execute-maybe)
          (org-babel-execute-src-block))))
    (let ((tasks (reverse (cdr ob-mesos--collected))))
      (ob-mesos--submit tasks)
      tasks)))

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

(defun ob-mesos-batch-run ()
  "Run the mesos blocks of the file named on the command line; for --batch.
The results are written into the file, or printed with --stdout.  The
exit status is 1 if a block has failed."
  (let* ((stdout (member "--stdout" command-line-args-left))
         (file (car (remove "--stdout" command-line-args-left)))
         (org-confirm-babel-evaluate nil)
         (inhibit-message t)
         (failed nil))
    (setq command-line-args-left nil)
    (condition-case err
        (with-current-buffer (find-file-noselect (expand-file-name file))
          (let ((tasks (ob-mesos--submit-buffer)))
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
