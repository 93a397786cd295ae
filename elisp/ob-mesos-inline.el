;;; ob-mesos-inline.el --- Results within a line  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The placeholder and the result of an inline block or call are inserted
;; directly after it, in Org's results macro.

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-mesos-task)
(require 'ob-mesos-undo)

(defun ob-mesos--insert-inline-placeholder (text)
  "Insert the placeholder TEXT behind the inline block or call at point."
  (let ((inhibit-message t))
    (save-excursion
      (ob-mesos--edit-recorded
       (lambda ()
         (org-babel-insert-result text '("replace") (list "mesos" "" nil)))
       #'ignore))))

(defun ob-mesos--show-inline (position text)
  "Make TEXT the placeholder that stands within the line at POSITION."
  (save-excursion
    (goto-char position)
    (when (looking-at "mesos:[^ \n]+ [A-Z]+")
      (delete-region (match-beginning 0) (match-end 0))
      (insert text))))

(defun ob-mesos--one-line (text)
  "TEXT in one line, for a place within one."
  (string-join (split-string text "\n" t "[ \t]+") "; "))

(defun ob-mesos--insert-inline-result (origin task value info)
  "Put VALUE of TASK behind the inline block or call at ORIGIN.
VALUE is (VALUE . RESULT-PARAMS), and INFO is Org's.  What Org cannot put
within a line is an error, and that is put there.  Leave point at ORIGIN."
  (let ((line (lambda (text)
                (goto-char origin)
                (org-babel-insert-result (ob-mesos--one-line text)
                                         '("replace") (list "mesos" "" nil)))))
    (goto-char origin)
    (if (ob-mesos-task-failed-p task)
        (funcall line (car value))
      (condition-case err
          (org-babel-insert-result (car value) (cdr value) info nil
                                   (ob-mesos-task-lang task))
        (user-error (funcall line (error-message-string err)))))
    (goto-char origin)))

(provide 'ob-mesos-inline)
;;; ob-mesos-inline.el ends here
