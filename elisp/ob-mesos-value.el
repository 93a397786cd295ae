;;; ob-mesos-value.el --- The value of a task  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Converts the output of an ended task to the value of its block, or to a
;; report if the task has failed.

;;; Code:

(require 'cl-lib)
(require 'ob)
(require 'ob-mesos-task)
(require 'ob-mesos-lang)

(defcustom ob-mesos-ansi 'strip
  "What to do with ANSI colors in output."
  :type '(choice (const :tag "Taken out" strip)
                 (const :tag "Shown as colours" render)
                 (const :tag "Left as they are" nil))
  :group 'ob-mesos)

;; That file requires this one.
(declare-function ob-mesos--group-value "ob-mesos-group" (group params))

(defun ob-mesos--clean (text)
  "TEXT with progress bars collapsed and colours treated as the user likes."
  (let ((text (if (string-search "\r" text)
                  (replace-regexp-in-string
                   "^[^\n]*\r\\([^\r\n]\\)" "\\1"
                   (replace-regexp-in-string "\r+$" "" text))
                text)))
    (if (and (eq ob-mesos-ansi 'strip) (string-search "\e" text))
        (replace-regexp-in-string
         "\e\\(?:\\[[0-9;:?]*[ -/]*[@-~]\\|\\][^\a\e]*\\(?:\a\\|\e\\\\\\)\\|[()][0-9A-Za-z]\\|[=>78cDEHM]\\)"
         "" text)
      text)))

(defun ob-mesos--escape-drawer (text)
  "TEXT with what would end a drawer made harmless by a zero-width space."
  (let ((case-fold-search t))
    (replace-regexp-in-string "^\\(?:[ \t]*:end:\\|\\*+ \\)" "\u200b\\&" text)))

(defun ob-mesos--report (task)
  "Say how TASK has failed, as text for its result."
  (let* ((data (ob-mesos-task-data task))
         (result (ob-mesos-task-result task))
         (reason (plist-get data :reason))
         (message (plist-get data :message))
         (out (ob-mesos--clean (or (plist-get result :stdout) "")))
         (err (ob-mesos--clean (or (plist-get result :stderr) ""))))
    (concat
     (format "mesos: %s %s" (ob-mesos-task-id task) (ob-mesos-task-state task))
     (when (and message (not (string-empty-p message))) (concat ": " message))
     (when (and reason (not (string-empty-p reason))) (format " (%s)" reason))
     (when (plist-get data :exitStatus)
       (format "\nexit status: %s" (plist-get data :exitStatus)))
     (when (plist-get data :signal)
       (format "\nsignal: %s" (plist-get data :signal)))
     (unless (string-empty-p err) (concat "\nstderr:\n" err))
     (unless (string-empty-p out) (concat "\nstdout:\n" out)))))

(defun ob-mesos--stdout (task)
  "What TASK wrote, with a word on what was cut."
  (let* ((result (ob-mesos-task-result task))
         (text (ob-mesos--clean (or (plist-get result :stdout) ""))))
    (cond
     ((not (eq t (plist-get result :truncated))) text)
     ((zerop (plist-get result :stdoutBytes))
      (format "[%s; it is %s/stdout]" (plist-get result :stderr)
              (plist-get result :location)))
     (t
      (concat text
              (if (string-suffix-p "\n" text) "" "\n")
              (format "[cut: the first %d of %d bytes; the whole is %s/stdout]"
                      (string-bytes (plist-get result :stdout))
                      (plist-get result :stdoutBytes)
                      (plist-get result :location)))))))

(defun ob-mesos--value (text params)
  "TEXT as the value Org wants according to PARAMS."
  (let ((result-params (cdr (assq :result-params params))))
    (org-babel-reassemble-table
     (org-babel-result-cond result-params
       text
       (let ((file (org-babel-temp-file "mesos-")))
         (with-temp-file file (insert text))
         (org-babel-import-elisp-from-file file)))
     (org-babel-pick-name (cdr (assq :colname-names params))
                          (cdr (assq :colnames params)))
     (org-babel-pick-name (cdr (assq :rowname-names params))
                          (cdr (assq :rownames params))))))

(defun ob-mesos--task-value (task params)
  "The value of TASK, which has ended well, as PARAMS want it."
  (if (ob-mesos-task-members task)
      (ob-mesos--group-value task params)
    (let ((text (ob-mesos--stdout task)))
      (when (member "drawer" (cdr (assq :result-params params)))
        (setq text (ob-mesos--escape-drawer text)))
      (if (equal (ob-mesos-task-lang task) "mesos")
          (ob-mesos--value text params)
        (ob-mesos--result-from-output (ob-mesos-task-lang task) text
                          (ob-mesos-task-source task) params)))))

(provide 'ob-mesos-value)
;;; ob-mesos-value.el ends here
