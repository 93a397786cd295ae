;;; ob-mesos-value.el --- The value of a task  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Converts the output of an ended task to the value of its block, which obeys
;; `:file' and `:post', or to a report if the task has failed.

;;; Code:

(require 'cl-lib)
(require 'ob)
(require 'org-table)
(require 'ob-mesos-task)
(require 'ob-mesos-work)
(require 'ob-mesos-lang)
(require 'ob-mesos-fetch)
(require 'ob-mesos-reuse)

(defcustom ob-mesos-ansi 'strip
  "What to do with ANSI colors in output."
  :type '(choice (const :tag "Taken out" strip)
                 (const :tag "Shown as colours" render)
                 (const :tag "Left as they are" nil))
  :group 'ob-mesos)

;; That file requires this one.
(declare-function ob-mesos--group-value "ob-mesos-group" (group params))

(defun ob-mesos--collapse-returns ()
  "Delete from the buffer what a terminal would have overwritten.
A carriage return goes back to the beginning of its line."
  (goto-char (point-min))
  (while (search-forward "\r" nil t)
    (let ((returns (1- (point))))
      (skip-chars-forward "\r")
      (delete-region (if (eolp) returns (line-beginning-position)) (point)))))

(defun ob-mesos--clean (text)
  "TEXT with progress bars collapsed and colours treated as the user likes."
  (let ((text (if (string-search "\r" text)
                  (with-temp-buffer
                    (insert text)
                    (ob-mesos--collapse-returns)
                    (buffer-string))
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

(defun ob-mesos--cut-p (task)
  "Return non-nil if not all output of TASK is in Emacs."
  (and (eq t (plist-get (ob-mesos-task-result task) :truncated))
       (not (ob-mesos-task-output task))))

(defun ob-mesos--exact-p (task)
  "Return non-nil if the text of the output of TASK is all that it wrote.
The server replaces bytes that are not valid UTF-8, and NUL."
  (not (or (eq t (plist-get (ob-mesos-task-result task) :truncated))
           (string-match-p "[\uFFFD\u2400]"
                           (or (plist-get (ob-mesos-task-result task) :stdout) "")))))

(defconst ob-mesos--replacements
  (let ((table (make-char-table 'translation-table)))
    (set-char-table-range table '(#x3fff80 . #x3fffff) ?\uFFFD)
    (set-char-table-range table 0 ?\u2400)
    table)
  "What the server has for bytes that are not valid UTF-8, and for NUL.")

(defun ob-mesos--exact-stdout (task)
  "What TASK wrote, as it wrote it, as text.
Bytes that are no text are replaced, as the server does."
  (if-let ((bytes (ob-mesos-task-output task)))
      (with-temp-buffer
        (insert (decode-coding-string bytes 'utf-8-unix))
        (translate-region (point-min) (point-max) ob-mesos--replacements)
        (buffer-string))
    (or (plist-get (ob-mesos-task-result task) :stdout) "")))

(defun ob-mesos--stdout (task)
  "What TASK wrote, for a document, with a word on what was cut."
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
       (let ((file (org-babel-temp-file "mesos-"))
             ;; A group has up to 10,000 members, each with rows of its own.
             (org-table-convert-region-max-lines most-positive-fixnum))
         (with-temp-file file (insert text))
         (org-babel-import-elisp-from-file file)))
     (org-babel-pick-name (cdr (assq :colname-names params))
                          (cdr (assq :colnames params)))
     (org-babel-pick-name (cdr (assq :rowname-names params))
                          (cdr (assq :rownames params))))))

(defun ob-mesos--task-value (task params &optional exact)
  "The value of TASK, which has ended well, as PARAMS want it.
It is for a document; with EXACT non-nil it is for a program or a file:
nothing is taken out of the output, and no word is put in."
  (if (ob-mesos-task-members task)
      (ob-mesos--group-value task params)
    (let ((text (if exact
                    (ob-mesos--exact-stdout task)
                  (ob-mesos--stdout task))))
      (when (and (not exact) (member "drawer" (cdr (assq :result-params params))))
        (setq text (ob-mesos--escape-drawer text)))
      (if (equal (ob-mesos-task-lang task) "mesos")
          (ob-mesos--value text params)
        (ob-mesos--result-from-output (ob-mesos-task-lang task) text
                          (ob-mesos-task-source task) params)))))

(defun ob-mesos--raw-value (task params exact)
  "The value of TASK before `:file' and `:post' of PARAMS are obeyed.
EXACT is as for `ob-mesos--task-value'."
  (let ((result-params (cdr (assq :result-params params)))
        (value (ob-mesos--task-value task params exact)))
    (if (and (eq (cdr (assq :result-type params)) 'value)
             (or (member "vector" result-params) (member "table" result-params))
             (not (listp value)))
        (list (list value))
      value)))

(defun ob-mesos--write-value (task value params file)
  "Write VALUE of TASK into FILE as PARAMS say; output is written as it was."
  (when (and (ob-mesos-task-reused-p task) (not (ob-mesos--exact-p task)))
    (error "The output is not text and was not kept; `:cache no' runs the block"))
  (if (and (ob-mesos-task-output task)
           (equal value (ob-mesos--exact-stdout task)))
      (let ((coding-system-for-write 'no-conversion))
        (write-region (ob-mesos-task-output task) nil file nil 'silent))
    (let ((coding-system-for-write 'utf-8-unix))
      (with-temp-file file
        (insert (org-babel-format-result value (cdr (assq :sep params)))))))
  (when-let ((mode (cdr (assq :file-mode params))))
    (set-file-modes file mode)))

;;;; The value to insert

(defun ob-mesos--result-params (params failed)
  "How to insert a result: as PARAMS say, or verbatim if the task FAILED."
  (if failed
      (cons "output"
            (or (cl-intersection '("append" "prepend")
                                 (cdr (assq :result-params params))
                                 :test #'equal)
                '("replace")))
    (cdr (assq :result-params params))))

(defvar *this*)

(defun ob-mesos--file-there-p (task result-params file)
  "Return non-nil if TASK has made FILE, which is not to be written then.
RESULT-PARAMS are the result parameters of its block."
  (or (ob-mesos-task-not-run-p task)
      (member "link" result-params)
      (member "graphics" result-params)
      (member file (ob-mesos-task-fetched task))))

(defun ob-mesos--member-links (task file)
  "Return links to the files that the members of TASK have made in place of FILE.
Return nil if TASK is no group."
  (cl-loop for member in (ob-mesos-task-members task)
           when (member file (ob-mesos-task-fetched member))
           collect (org-babel-result-to-file
                    (file-relative-name (ob-mesos--target member file)
                                        (ob-mesos-task-directory member)))))

(defun ob-mesos--finish-value (task params result-params)
  "The value to insert for TASK, with `:file' and `:post' of PARAMS obeyed.
Return it and the RESULT-PARAMS to insert it with.  If the members of a
group have made files, it is a list of links to these."
  (let* ((name (ob-mesos--result-file params))
         (links (and name (ob-mesos--member-links task name)))
         (file (and (not links) name))
         (post (cdr (assq :post params)))
         (there (and file (ob-mesos--file-there-p task result-params file)))
         (value (cond (links links)
                      (there nil)
                      (t (ob-mesos--raw-value task params (or file post))))))
    (when links
      (setq result-params (list "list" "replace")))
    (when file
      (unless there
        (ob-mesos--write-value task value params file))
      (setq value file))
    (when post
      (let ((*this* (if file
                        (org-babel-result-to-file
                         file (org-babel--file-desc params value))
                      value)))
        (setq value (ob-mesos--with-quit (org-babel-ref-resolve post))
              result-params (remove "file" result-params))))
    (cons value result-params)))

(defun ob-mesos--write-file (task params file)
  "Write FILE, that of PARAMS, for TASK, unless the task has made it.
For Org, which would write the value of the block into FILE."
  (let ((result-params (cdr (assq :result-params params))))
    (unless (ob-mesos--file-there-p task result-params file)
      (ob-mesos--call-in-document
       task
       (lambda ()
         (ob-mesos--write-value task (ob-mesos--raw-value task params t)
                                params file))))))

(defun ob-mesos--outcome (task)
  "The value of TASK, which has ended well, and how to insert it; made once."
  (or (ob-mesos-task-outcome task)
      (setf (ob-mesos-task-outcome task)
            (let ((params (ob-mesos-task-params task)))
              (ob-mesos--call-in-document
               task
               (lambda ()
                 (ob-mesos--finish-value
                  task params (ob-mesos--result-params params nil))))))))

(provide 'ob-mesos-value)
;;; ob-mesos-value.el ends here
