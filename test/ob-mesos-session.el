;;; ob-mesos-session.el --- A real Emacs in a terminal  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Starts an interactive Emacs in a tmux of its own, presses keys and looks
;; at the screen.

;;; Code:

(require 'cl-lib)

(defconst ob-mesos-session--here
  (file-name-directory (or load-file-name buffer-file-name))
  "Where this file is.")

(defvar ob-mesos-session--elisp
  (expand-file-name "../elisp" ob-mesos-session--here)
  "The directory to load ob-mesos from.")

(cl-defstruct (ob-mesos-session (:constructor ob-mesos-session--make)
                                (:copier nil))
  "An Emacs in a tmux."
  (socket nil :documentation "The name of tmux's socket.")
  (directory nil :documentation "Where its file and state are.")
  (file nil :documentation "The Org file it visits."))

(defun ob-mesos-session--tmux (session &rest arguments)
  "Run tmux for SESSION with ARGUMENTS and return what it prints."
  (with-temp-buffer
    (let ((status (apply #'call-process "tmux" nil t nil
                         "-L" (ob-mesos-session-socket session)
                         "-f" "/dev/null" arguments)))
      (unless (equal status 0)
        (error "Tmux %S: %s" arguments (buffer-string)))
      (buffer-string))))

(defun ob-mesos-session-start (text jar form)
  "Start an Emacs on a file with TEXT, the server's JAR, and evaluate FORM in it."
  (let* ((directory (file-name-as-directory (make-temp-file "ob-mesos-session" t)))
         (file (expand-file-name "document.org" directory))
         (session (ob-mesos-session--make
                   :socket (format "ob-mesos-%d-%d" (emacs-pid) (random 1000000))
                   :directory directory :file file)))
    (with-temp-file file (insert text))
    (ob-mesos-session--tmux
     session "new-session" "-d" "-x" "100" "-y" "40" "-c" directory
     "env" "TERM=screen-256color" "LC_ALL=C.UTF-8"
     "emacs" "-nw" "-Q" "-L" ob-mesos-session--elisp
     "-L" ob-mesos-session--here "--eval" "(require 'ob-mesos)"
     "--eval" "(ob-mesos-global-mode)"
     "--eval" (format "%S" `(setq org-confirm-babel-evaluate nil
                                  make-backup-files nil
                                  ob-mesos-on-exit 'kill
                                  ob-mesos-server-jar ,jar
                                  ob-mesos-server-arguments
                                  '("--state-dir"
                                    ,(expand-file-name "state" directory))))
     "--eval" (format "%S" form)
     file)
    session))

(defun ob-mesos-session-screen (session)
  "What SESSION shows."
  (ob-mesos-session--tmux session "capture-pane" "-p"))

(defun ob-mesos-session-keys (session &rest keys)
  "Press KEYS, in the words of tmux, in SESSION."
  (apply #'ob-mesos-session--tmux session "send-keys" keys))

(defun ob-mesos-session-pid (session)
  "The process id of the Emacs of SESSION."
  (string-to-number
   (ob-mesos-session--tmux session "list-panes" "-F" "#{pane_pid}")))

(defun ob-mesos-session-await (session condition)
  "Wait until CONDITION holds, a function or a regexp on the screen of SESSION."
  (let ((end (+ (float-time) 60)))
    (while (not (if (functionp condition)
                    (funcall condition)
                  (string-match-p condition (ob-mesos-session-screen session))))
      (when (> (float-time) end)
        (error "Waited in vain for %s; the screen:\n%s" condition
               (ob-mesos-session-screen session)))
      (accept-process-output nil 0.03))))

(defun ob-mesos-session-type (session text)
  "Type TEXT, of one line, in SESSION, each character once the last one is seen."
  (cl-loop for end from 1 to (length text)
           do (ob-mesos-session-keys session "-l" (substring text (1- end) end))
           (unless (eq ?\s (aref text (1- end)))
             (ob-mesos-session-await session
                                     (regexp-quote (substring text 0 end))))))

(defun ob-mesos-session-contents (session)
  "The contents of the file of SESSION."
  (with-temp-buffer
    (insert-file-contents (ob-mesos-session-file session))
    (buffer-string)))

(defun ob-mesos-session-end (session)
  "End SESSION and remove its directory."
  (ignore-errors (ob-mesos-session--tmux session "kill-server"))
  (let ((directory (ob-mesos-session-directory session))
        (end (+ (float-time) 30)))
    ;; Its server may still write there, but not for long.
    (while (and (file-directory-p directory) (< (float-time) end))
      (ignore-errors (delete-directory directory t))
      (accept-process-output nil 0.03))))

;;;; Twenty blocks that stream while someone types

(defconst ob-mesos-session-typed "while this line is typed, twenty blocks print"
  "What is typed.")

(defun ob-mesos-session--twenty ()
  "A document with twenty blocks that print for some seconds."
  (concat (mapconcat
           (lambda (n)
             (format "#+begin_src mesos\nfor i in $(seq 30); do \
echo block %d line $i; sleep 0.1; done\n#+end_src\n" n))
           (number-sequence 1 20) "\n")
          "\nThe end.\n"))

(defun ob-mesos-session-stream (jar)
  "Type while twenty blocks stream, with the server's JAR.
Return the document as it was saved, and a list of the longest time in
seconds in which that Emacs did not get round to a timer of 2 ms, and how
much of that was garbage collection."
  (let* ((session (ob-mesos-session-start
                   (ob-mesos-session--twenty) jar
                   '(progn (require 'ob-mesos-session-gap)
                           (global-set-key [f5] 'ob-mesos-session-gap-start)
                           (global-set-key [f6] 'ob-mesos-session-gap-save))))
         (gap (expand-file-name "gap" (ob-mesos-session-directory session))))
    (unwind-protect
        (progn
          (ob-mesos-session-await session "begin_src")
          (ob-mesos-session-keys session "C-c" "C-v" "b")
          (ob-mesos-session-await session "mesos:20")
          (ob-mesos-session-keys session "M->" "F5")
          (ob-mesos-session-await session "The end")
          (ob-mesos-session-type session ob-mesos-session-typed)
          (ob-mesos-session-await
           session (lambda ()
                     (not (string-match-p "mesos:[0-9]+"
                                          (ob-mesos-session-screen session)))))
          (ob-mesos-session-keys session "F6" "C-x" "C-s")
          (ob-mesos-session-await session "Wrote")
          (ob-mesos-session-await session (lambda () (file-exists-p gap)))
          (list (ob-mesos-session-contents session)
                (with-temp-buffer
                  (insert-file-contents gap)
                  (read (current-buffer)))))
      (ob-mesos-session-end session))))

(provide 'ob-mesos-session)
;;; ob-mesos-session.el ends here
