;;; ob-mesos-log.el --- The output of a task  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Shows a file of the sandbox of a task, such as stdout, in a buffer, and
;; appends new output while the task runs.

;;; Code:

(require 'cl-lib)
(require 'ansi-color)
(require 'comint)
(require 'ob-mesos-task)

(defvar-local ob-mesos-log--server nil "The server of the task.")
(defvar-local ob-mesos-log--id nil "The id of the task.")
(defvar-local ob-mesos-log--path nil "The file in its sandbox.")
(defvar-local ob-mesos-log--offset 0 "How far the file was read, in bytes.")
(defvar-local ob-mesos-log--timer nil "The timer that reads on.")
(defvar-local ob-mesos-log--trouble nil "Why the last read failed, if one has.")

(defconst ob-mesos-log--piece 65536 "How many bytes are read at a time.")

(define-derived-mode ob-mesos-log-mode special-mode "Mesos-Log"
  "Major mode for the output of a task; new output is appended.
ANSI colors are shown, and a carriage return moves to the beginning of
the line.  A window whose point is at the end of the buffer scrolls."
  (add-hook 'kill-buffer-hook #'ob-mesos-log--stop nil t))

(defun ob-mesos-log--stop ()
  "Read no further in this buffer."
  (when ob-mesos-log--timer
    (cancel-timer ob-mesos-log--timer)))

(defun ob-mesos-log-show (server id path)
  "Show the file PATH of the task ID of SERVER, and follow it."
  (let ((buffer (get-buffer-create (format "*ob-mesos %s %s*" id path))))
    (with-current-buffer buffer
      (ob-mesos-log--stop)
      (ob-mesos-log-mode)
      (let ((inhibit-read-only t)) (erase-buffer))
      (setq ob-mesos-log--server server
            ob-mesos-log--id id
            ob-mesos-log--path path
            ob-mesos-log--offset 0)
      (ob-mesos-log--read buffer nil))
    (pop-to-buffer buffer)))

(defun ob-mesos-log--read (buffer ended)
  "Read on for BUFFER; ENDED is whether its task has ended already."
  (ob-mesos--with-live-buffer buffer
    (setq ob-mesos-log--timer nil)
    (let ((offset ob-mesos-log--offset))
      (ob-mesos--request
       ob-mesos-log--server :task/read
       (list :id ob-mesos-log--id :path ob-mesos-log--path
             :offset offset :length ob-mesos-log--piece)
       (lambda (result) (ob-mesos-log--append buffer ended offset result))
       (lambda (message) (ob-mesos-log--failed buffer ended message))))))

(defun ob-mesos-log--failed (buffer ended message)
  "Show MESSAGE, of a read for BUFFER that has failed, and try again.
If the task had ENDED, nothing is tried again."
  (ob-mesos--with-live-buffer buffer
    (unless (equal message ob-mesos-log--trouble)
      (message "ob-mesos: %s" message))
    (setq ob-mesos-log--trouble message)
    (unless ended
      (ob-mesos-log--in 2 #'ob-mesos-log--ask buffer))))

(defun ob-mesos-log--characters (bytes)
  "Return BYTES without the part of a character they may end with."
  (substring bytes 0
             (string-match (rx (or (in "\300-\337")
                                   (seq (in "\340-\357") (** 0 1 (in "\200-\277")))
                                   (seq (in "\360-\367") (** 0 2 (in "\200-\277"))))
                               string-end)
                           bytes)))

(defun ob-mesos-log--append (buffer ended offset result)
  "Append RESULT, what the file has from OFFSET, to BUFFER and read on.
If the task had ENDED before RESULT was asked for, what is there is all.
If another read has appended that to BUFFER, do nothing."
  (ob-mesos--with-live-buffer buffer
    (when (= offset ob-mesos-log--offset)
      (let* ((bytes (base64-decode-string (plist-get result :data)))
             (whole (ob-mesos-log--characters bytes))
             ;; The rest of a character can come later.
             (data (if (and ended (string-empty-p whole)) bytes whole)))
        (cl-incf ob-mesos-log--offset (length data))
        (setq ob-mesos-log--trouble nil)
        ;; A carriage return is not the end of a line.
        (ob-mesos-log--insert (decode-coding-string data 'utf-8-unix))
        (cond ((not (string-empty-p data))
               (ob-mesos-log--in (if (= (length bytes) ob-mesos-log--piece) 0.01 0.5)
                                 #'ob-mesos-log--read buffer ended))
              ((not ended) (ob-mesos-log--ask buffer)))))))

(defun ob-mesos-log--in (seconds function &rest arguments)
  "Go on in SECONDS by calling FUNCTION with ARGUMENTS."
  (ob-mesos-log--stop)
  (setq ob-mesos-log--timer (apply #'run-at-time seconds nil function arguments)))

(defun ob-mesos-log--ask (buffer)
  "Ask whether the task of BUFFER has ended, and read on."
  (ob-mesos--with-live-buffer buffer
    (ob-mesos--request
     ob-mesos-log--server :task/get (list :ids (vector ob-mesos-log--id))
     (lambda (result)
       (ob-mesos--with-live-buffer buffer
         (let* ((task (car (append (plist-get result :tasks) nil)))
                ;; A task that is not known any more writes nothing either.
                (ended (or (null task) (eq t (plist-get task :terminal)))))
           (ob-mesos-log--in (if ended 0.01 0.5) #'ob-mesos-log--read buffer ended))))
     (lambda (message) (ob-mesos-log--failed buffer nil message)))))

(defun ob-mesos-log--insert (text)
  "Append TEXT to this buffer, as a terminal would show it."
  (let* ((inhibit-read-only t)
         (end (point-max))
         (at-end (= (point) end))
         (windows (cl-remove-if-not (lambda (window)
                                      (= (window-point window) end))
                                    (get-buffer-window-list nil nil t))))
    (save-excursion
      (goto-char end)
      (insert text)
      (ansi-color-apply-on-region end (point-max))
      ;; It remembers a carriage return at the end until more is appended.
      (comint-carriage-motion end (point-max)))
    (when at-end (goto-char (point-max)))
    (dolist (window windows)
      (set-window-point window (point-max)))))

(provide 'ob-mesos-log)
;;; ob-mesos-log.el ends here
