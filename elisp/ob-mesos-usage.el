;;; ob-mesos-usage.el --- What a document has used  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A table of the run time, CPU time and memory of the blocks of a document.

;;; Code:

(require 'cl-lib)
(require 'tabulated-list)
(require 'ob-mesos-list)

(defvar-local ob-mesos-usage--document nil "The name of the document's file.")

(defconst ob-mesos-usage--columns
  '(("Runs" 6) ("Wall s" 10) ("Cpu s" 10) ("Mem" 8) ("Peak" 8))
  "The columns of numbers: their names and widths.")

(define-derived-mode ob-mesos-usage-mode tabulated-list-mode "Usage"
  "Major mode for the resource usage of the blocks of a document.
Mem is the requested memory, and Peak is the largest memory use of one
run, both in MiB."
  (setq tabulated-list-format
        (vconcat
         '(("Block" 32 t))
         (cl-loop for (name width) in ob-mesos-usage--columns
                  for column from 1
                  collect (list name width (ob-mesos-list--by-number column)
                                :right-align t)))
        tabulated-list-padding 1)
  (tabulated-list-init-header)
  (add-hook 'tabulated-list-revert-hook #'ob-mesos-usage--ask nil t))

(defun ob-mesos-usage--row (name tasks)
  "Return the entry for the block NAME, which has run as TASKS."
  (cl-flet ((numbers (value) (delq nil (mapcar value tasks))))
    (let ((peaks (numbers #'ob-mesos-list--peak)))
      (list name
            (vector name
                    (number-to-string (length tasks))
                    (ob-mesos-list--number
                     (apply #'+ (numbers (lambda (task) (plist-get task :wallSeconds)))))
                    (ob-mesos-list--number
                     (apply #'+ (numbers (lambda (task) (plist-get task :cpuSeconds)))))
                    (ob-mesos-list--number
                     (apply #'max (numbers (lambda (task) (plist-get task :mem)))))
                    (ob-mesos-list--number (and peaks (apply #'max peaks))))))))

(defun ob-mesos-usage--rows (tasks document)
  "Return the entries for the blocks of DOCUMENT among TASKS."
  (let ((blocks (make-hash-table :test #'equal)))
    (dolist (task tasks)
      (when (equal document (plist-get task :document))
        (push task (gethash (or (plist-get task :name) "") blocks))))
    (cl-loop for name being the hash-keys of blocks using (hash-values runs)
             collect (ob-mesos-usage--row (if (string-empty-p name) "(no name)" name)
                                          runs))))

(defun ob-mesos-usage--ask ()
  "Ask all servers that run for their tasks, and show what they have used."
  (let ((buffer (current-buffer))
        (tasks nil))
    (ob-mesos-list--ask-all
     :task/list
     (lambda (_server result)
       (setq tasks (append (plist-get result :tasks) tasks))
       (ob-mesos--with-live-buffer buffer
         (setq tabulated-list-entries
               (ob-mesos-usage--rows tasks ob-mesos-usage--document))
         (tabulated-list-print t))))))

(defun ob-mesos-usage ()
  "Show the run time, CPU time and memory of the blocks of this document."
  (interactive)
  (let ((document (or (buffer-file-name (buffer-base-buffer))
                      (user-error "This buffer has no file"))))
    (ob-mesos-list--open "*ob-mesos usage*" #'ob-mesos-usage-mode)
    (setq ob-mesos-usage--document document)
    (ob-mesos-usage--ask)))

(provide 'ob-mesos-usage)
;;; ob-mesos-usage.el ends here
