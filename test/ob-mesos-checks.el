;;; ob-mesos-checks.el --- Compiler, checkdoc, package-lint  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Ends Emacs with 1 if one of them has something to say.

;;; Code:

(require 'checkdoc)
(require 'cl-lib)
(require 'bytecomp)

(defvar ob-mesos-checks--faults 0 "How many faults were found.")

(defun ob-mesos-checks--compile (file directory)
  "Compile FILE into DIRECTORY, with warnings as errors."
  (let ((byte-compile-error-on-warn t)
        (byte-compile-dest-file-function
         (lambda (source)
           (expand-file-name (concat (file-name-base source) ".elc") directory))))
    (unless (eq t (byte-compile-file file))
      (cl-incf ob-mesos-checks--faults))))

(defun ob-mesos-checks--doc (file)
  "Run checkdoc on FILE."
  (let ((checkdoc-create-error-function
         (lambda (text start &rest _)
           (cl-incf ob-mesos-checks--faults)
           (message "%s:%d: %s" file (line-number-at-pos start) text)
           nil)))
    (with-current-buffer (find-file-noselect file)
      (checkdoc-current-buffer t))))

(defun ob-mesos-checks--lint (files)
  "Run package-lint on FILES if it is installed."
  (add-to-list 'load-path "/usr/share/emacs/site-lisp/elpa-src")
  (let ((default-directory "/usr/share/emacs/site-lisp/elpa-src"))
    (when (file-directory-p default-directory)
      (normal-top-level-add-subdirs-to-load-path)))
  (when (require 'package-lint nil t)
    (defvar package-lint-main-file)
    (dolist (file files)
      (with-current-buffer (find-file-noselect file)
        (let ((package-lint-main-file
               (expand-file-name "ob-mesos.el" (file-name-directory file))))
          (pcase-dolist (`(,line ,_column ,type ,message)
                         (package-lint-buffer))
            (message "%s:%d: %s: %s" file line type message)
            ;; The names Org looks for are Org's.
            (when (and (eq type 'error)
                       (not (string-match-p "org-babel-[a-z-]+:mesos" message)))
              (cl-incf ob-mesos-checks--faults))))))))

(declare-function package-lint-buffer "package-lint" (&optional buffer))

(defun ob-mesos-checks-batch ()
  "Check all of elisp/ and end Emacs."
  (let* ((elisp (expand-file-name
                 "../elisp/" (file-name-directory (or load-file-name
                                                      (symbol-file 'ob-mesos-checks-batch)))))
         (files (directory-files elisp t "\\.el\\'"))
         (scratch (make-temp-file "ob-mesos" t)))
    (add-to-list 'load-path elisp)
    (dolist (file files)
      (ob-mesos-checks--compile file scratch)
      (ob-mesos-checks--doc file))
    (ob-mesos-checks--lint files)
    (delete-directory scratch t)
    (message "Checked %d files, %d faults" (length files)
             ob-mesos-checks--faults)
    (kill-emacs (if (zerop ob-mesos-checks--faults) 0 1))))

(provide 'ob-mesos-checks)
;;; ob-mesos-checks.el ends here
