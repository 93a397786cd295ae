;;; ob-mesos-exec.el --- Commands beside running tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Runs commands in the container, directory and environment of a running
;; task.  Emacs starts a Perl program, which the server has written to its
;; state directory; the program connects to the task through the server.
;; `ob-mesos-shell' is a terminal with a shell; /mesos:TASK:/FILE is a file
;; name of TRAMP (`ob-mesos-tramp').

;;; Code:

(require 'cl-lib)
(require 'subr-x)
(require 'term)
(require 'ob-mesos-task)

(declare-function eat-make "ext:eat" (name program &optional startfile &rest switches))
(declare-function vterm "ext:vterm" (&optional buffer-name))

(defvar vterm-shell)

(defcustom ob-mesos-terminal 'auto
  "The terminal emulator that `ob-mesos-shell' uses.
`auto' uses eat or vterm if one of them is installed, and `term'
otherwise.  A function is called with the name of a buffer and a list of
the words of a command; it must return the buffer that runs the command."
  :type '(choice (const :tag "eat, vterm or term" auto)
                 (const term) (const eat) (const vterm) function)
  :group 'ob-mesos)

(defun ob-mesos-exec-command (server id words &optional tty)
  "Return a command line for the command WORDS beside the task ID of SERVER.
It is a list of strings; nil as WORDS is a shell.  TTY non-nil means in a
terminal.  Its exit status is that of the command, 128 and the number of
a signal, or 255 if there is no command or the connection is lost."
  (let ((directory (ob-mesos--server-directory server)))
    (unless directory
      (ob-mesos--request server :task/list (make-hash-table :size 1) #'ignore)
      (ob-mesos--wait (lambda () (ob-mesos--server-ready server)))
      (setq directory (ob-mesos--server-directory server)))
    (append (list "perl" (expand-file-name "exec.pl" directory)
                  "--directory" directory id)
            (and tty '("--tty"))
            '("--")
            words)))

(defun ob-mesos-exec-data (server id)
  "Ask SERVER for the task ID; return its answer, a plist, or nil."
  (car (append (plist-get (ob-mesos--call server :task/get (list :ids (vector id)))
                          :tasks)
               nil)))

(defun ob-mesos-exec-server (id)
  "Return the server that knows the task ID, or signal a `user-error'."
  (if-let ((task (gethash id ob-mesos--tasks)))
      (ob-mesos--server (ob-mesos-task-master task))
    (or (cl-find-if (lambda (server) (ob-mesos-exec-data server id))
                    (or (ob-mesos--live-servers) (list (ob-mesos--server))))
        (user-error "No task has the id %s" id))))

;;;; A shell

(defun ob-mesos-exec--raw-map ()
  "Return a keymap for `term' that passes all keys but one to the program.
That one is the prefix of Emacs' own commands; twice, it is passed too."
  (let ((map (make-sparse-keymap))
        (prefix (make-sparse-keymap)))
    (set-keymap-parent prefix ctl-x-map)
    (define-key prefix (kbd "C-x") #'term-send-raw)
    (set-keymap-parent map term-raw-map)
    (define-key map (kbd "C-c") #'term-send-raw)
    (define-key map (kbd "C-x") prefix)
    map))

(defun ob-mesos-exec-terminal (name words)
  "Run the command WORDS in a terminal; return its buffer, named NAME."
  (pcase (if (eq ob-mesos-terminal 'auto)
             (cond ((fboundp 'eat-make) 'eat)
                   ((fboundp 'vterm) 'vterm)
                   (t 'term))
           ob-mesos-terminal)
    ('eat (apply #'eat-make (string-trim name "\\*" "\\*") (car words) nil (cdr words)))
    ('vterm (let ((vterm-shell (mapconcat #'shell-quote-argument words " ")))
              (save-window-excursion (vterm name))))
    ;; Agents and containers do not know the name that `term' has for itself; of
    ;; the names that they know, programs look best with this one.
    ('term (let* ((term-term-name "screen")
                  (buffer (apply #'term-ansi-make-term name (car words) nil (cdr words))))
             (with-current-buffer buffer
               (term-mode)
               (setq-local term-raw-map (ob-mesos-exec--raw-map))
               (term-char-mode))
             buffer))
    (function (funcall function name words))))

(defun ob-mesos-exec-shell (server id &optional buffer)
  "Open a terminal with a shell beside the task ID of SERVER.
If BUFFER, the buffer of an earlier one, is live, it is used again."
  (let ((words (ob-mesos-exec-command server id nil t)))
    (when (buffer-live-p buffer)
      (kill-buffer buffer))
    ;; A terminal takes the size of the window that shows it.
    (pop-to-buffer (generate-new-buffer (format "*ob-mesos shell %s*" id)))
    (let ((process (get-buffer-process (ob-mesos-exec-terminal (buffer-name) words))))
      (when process
        (add-function :after (process-sentinel process)
                      (lambda (process _event)
                        (ob-mesos-exec--ended process server id)))))))

(defun ob-mesos-exec--ended (process server id)
  "Offer to begin again if PROCESS, beside the task ID of SERVER, was lost."
  (let ((buffer (process-buffer process)))
    (when (and (memq (process-status process) '(exit signal))
               (eql 255 (process-exit-status process))
               (buffer-live-p buffer))
      (with-current-buffer buffer
        (let ((inhibit-read-only t))
          (goto-char (point-max))
          (insert-text-button
           "[Attach again]"
           'action (lambda (_) (ob-mesos-exec-shell server id buffer))
           'help-echo "Open another shell beside the task"
           'follow-link t)
          (insert "\n"))))))

;;;; Files

(autoload 'ob-mesos-tramp-enable "ob-mesos-tramp")

(defun ob-mesos-exec--enable-files (server)
  "Let TRAMP know the tasks of SERVER, once it is loaded."
  (if (featurep 'tramp)
      (ob-mesos-tramp-enable server)
    (eval-after-load 'tramp
      (lambda () (ob-mesos-tramp-enable server)))))

(add-hook 'ob-mesos-connected-functions #'ob-mesos-exec--enable-files)

;;;; Input

(defconst ob-mesos-exec--input
  "input=${MESOS_SANDBOX:-.}/.ob-mesos-input
if test -p \"$input\"; then exec cat > \"$input\"; fi
echo 'it was not started with :stdin interactive' >&2; exit 1"
  "A shell command that passes its input to the task.")

(defun ob-mesos-exec-run (server id words &optional input)
  "Run the command WORDS beside the task ID of SERVER, with INPUT, and wait.
Signal a `user-error' with what it has printed if it fails."
  (let ((command (ob-mesos-exec-command server id words)))
    (with-temp-buffer
      (insert (or input ""))
      (let* ((coding-system-for-write 'utf-8-unix)
             (default-directory temporary-file-directory)
             (status (apply #'call-process-region (point-min) (point-max)
                            (car command) t t nil (cdr command))))
        (unless (eql 0 status)
          (user-error "%s: %s" id
                      (string-remove-prefix "ob-mesos: "
                                            (string-trim (buffer-string)))))))))

(defun ob-mesos-exec-send (server id text)
  "Send TEXT to the standard input of the task ID of SERVER.
The task must have been started with `:stdin interactive'.  Return when
the task's side has it, or signal a `user-error'."
  (ob-mesos-exec-run server id (list "sh" "-c" ob-mesos-exec--input) text))

(defun ob-mesos-exec-release (server id)
  "Let the failed task ID of SERVER, which is kept, end."
  (ob-mesos-exec-run
   server id
   '("sh" "-c" "test -e .ob-mesos-kept || { echo 'it has not failed, or has no :keep' >&2
exit 1; }; : > .ob-mesos-release")))

(provide 'ob-mesos-exec)
;;; ob-mesos-exec.el ends here
