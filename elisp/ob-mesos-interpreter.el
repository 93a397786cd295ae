;;; ob-mesos-interpreter.el --- The interpreters of sessions  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A session on a cluster is one interpreter that runs several blocks.  For
;; each language there is a command that starts the interpreter.  The
;; interpreter reads requests from standard input; each request is a line
;; with the directory of a task.  It runs the file .block in the directory,
;; appends the output to the files stdout and stderr there, and writes the
;; exit status to file descriptor 3.  Its state is kept between requests.
;; SIGINT interrupts the block, but does not end the interpreter.
;;
;; Blocks have the same results as in a session of their Babel library: for
;; `:results value', the value of the last expression.

;;; Code:

(require 'cl-lib)
(require 'json)
(require 'ob)
(require 'ob-mesos-args)
(require 'ob-mesos-fetch)

(cl-defstruct (ob-mesos--interpreter (:constructor ob-mesos--interpreter-make)
                                     (:copier nil))
  "How the interpreter of a session runs a block."
  (command nil :documentation "The words of the command that starts it.")
  (request "%s" :documentation "The line that makes it run a block; %s is the directory.")
  (body nil :documentation "The text to run.")
  (value nil :documentation "Non-nil if that writes its value into a file."))

(defconst ob-mesos--task-directory "/ob-mesos-task-directory/"
  "What stands for the directory of the task in the text to run.")

(defconst ob-mesos--value-file (concat ob-mesos--task-directory ".ob-mesos-value")
  "The file that the text to run writes its value into.")

(cl-defgeneric ob-mesos-interpreter (lang body params)
  "Return the `ob-mesos--interpreter' for BODY, of LANG, with PARAMS.
LANG is a symbol; methods for it add a language to those that have
sessions.  BODY is not expanded.  If PARAMS is nil, BODY is a line of a
REPL.")

(cl-defmethod ob-mesos-interpreter (lang _body _params)
  "Signal that LANG has no sessions."
  (user-error "A block of %s on a cluster has no session; those of %s can have one"
              lang "python, R, octave, ruby, js, sh and bash"))

(defun ob-mesos--graphics-file (params)
  "Return the file that the graphics of a block with PARAMS are for, or nil."
  (and (member "graphics" (cdr (assq :result-params params)))
       (org-babel-graphical-output-file params)))

(defun ob-mesos--value-p (params)
  "Return non-nil if PARAMS ask for the value of the last expression."
  (and (eq 'value (cdr (assq :result-type params)))
       (not (ob-mesos--graphics-file params))))

(defun ob-mesos--literal (text)
  "Return TEXT as a string literal of Python, R, Ruby and JavaScript."
  (let ((json (json-encode-string text)))
    ;; Escape #: Ruby would expand #{...}.
    (replace-regexp-in-string "#" "\\u0023" json t t)))

;;;; Blocks

(defun ob-mesos--session-language (lang params)
  "Return the language, a symbol, in which a block of LANG with PARAMS is written."
  (intern (if (equal lang "mesos")
              (format "%s" (or (cdr (assq :lang params)) "sh"))
            lang)))

(defun ob-mesos--check-session (lang params)
  "Signal a `user-error' if a block of LANG with PARAMS cannot have its session."
  (when (ob-mesos--session params)
    (dolist (argument '(:files :keep :stdin :cmdline :shebang :foreach :instances :image
                        :dockerimage :ensure :uris :user :secret :health))
      (when (assq argument params)
        (user-error "`%s' is for a process of a block's own, and this block has a session"
                    argument)))
    (ob-mesos-interpreter (ob-mesos--session-language lang params) ""
                          '((:result-type . output)))))

(defun ob-mesos--session-item (lang interpreter params)
  "Return the session of a block of LANG with PARAMS, for the server.
INTERPRETER is its `ob-mesos--interpreter'."
  (list :name (format "%s/%s" (ob-mesos--session-language lang params)
                      (ob-mesos--session params))
        :request (ob-mesos--interpreter-request interpreter)
        :value (if (ob-mesos--interpreter-value interpreter) t :json-false)
        :files (vconcat (cl-loop for (file . needed) in (ob-mesos--wanted-files params)
                                 when (and needed (ob-mesos--below-p file))
                                 collect file))))

(provide 'ob-mesos-interpreter)
;;; ob-mesos-interpreter.el ends here
