;;; ob-mesos-session-tests.el --- What a user at a terminal sees  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A real Emacs in tmux, a real server and real processes.

;;; Code:

(require 'ert)
(require 'ob-mesos)
(require 'ob-mesos-session)

(defmacro ob-mesos-session-tests--in (text form &rest body)
  "In a `session' on a file with TEXT in which FORM was evaluated run BODY."
  (declare (indent 2))
  `(let ((session (ob-mesos-session-start ,text ob-mesos-server-jar ,form)))
     (unwind-protect
         (progn (ob-mesos-session-await session "begin_src")
                ,@body)
       (ob-mesos-session-end session))))

(defun ob-mesos-session-tests--complete (session)
  "How many tasks of SESSION have written their thirtieth line."
  (condition-case nil
      (cl-count-if (lambda (file)
                     (with-temp-buffer
                       (insert-file-contents file)
                       (string-search "line 30\n" (buffer-string))))
                   (directory-files-recursively
                    (ob-mesos-session-directory session) "\\`stdout\\'"))
    ;; The server clears up while we look: look again.
    (file-missing 0)))

(ert-deftest ob-mesos-typing-goes-on-while-blocks-stream ()
  (let ((text (car (ob-mesos-session-stream ob-mesos-server-jar))))
    (should (string-search (concat "\nThe end.\n" ob-mesos-session-typed) text))
    (with-temp-buffer
      (insert text)
      (goto-char (point-min))
      (dotimes (n 20)
        (search-forward "#+RESULTS:\n#+begin_example\n")
        (dotimes (line 30)
          (should (looking-at-p (format "block %d line %d$" (1+ n) (1+ line))))
          (forward-line 1))
        (should (looking-at-p "#\\+end_example"))))))

(ert-deftest ob-mesos-an-emacs-that-was-stopped-catches-up ()
  (ob-mesos-session-tests--in (ob-mesos-session--twenty) nil
    (ob-mesos-session-keys session "C-c" "C-v" "b")
    (ob-mesos-session-await session "mesos:20")
    (ob-mesos-session-await session "| block 1 line")
    (let ((pid (ob-mesos-session-pid session)))
      (signal-process pid 'STOP)
      (unwind-protect
          (ob-mesos-session-await
           session
           (lambda ()
             (= 20 (ob-mesos-session-tests--complete session))))
        (signal-process pid 'CONT)))
    (ob-mesos-session-await
     session (lambda ()
               (not (string-match-p "mesos:[0-9]+"
                                    (ob-mesos-session-screen session)))))
    (ob-mesos-session-keys session "C-x" "C-s")
    (ob-mesos-session-await session "Wrote")
    (let ((text (ob-mesos-session-contents session)))
      (should-not (string-search ": mesos:" text))
      (dotimes (n 20)
        (should (string-search
                 (mapconcat (lambda (line) (format "block %d line %d\n" (1+ n) line))
                            (number-sequence 1 30) "")
                 text))))))

(ert-deftest ob-mesos-quitting-a-wait-kills-nothing ()
  (ob-mesos-session-tests--in
      "#+begin_src mesos :wait yes\nsleep 2; echo waited\n#+end_src\n" nil
    (ob-mesos-session-keys session "C-c" "C-c")
    (ob-mesos-session-await session "mesos:block-")
    (ob-mesos-session-keys session "C-g")
    (ob-mesos-session-await session "Quit")
    (ob-mesos-session-await session ": waited")))

(ert-deftest ob-mesos-at-exit-tasks-are-killed-or-kept-as-the-user-says ()
  (dolist (kill '(t nil))
    (ob-mesos-session-tests--in
        "#+begin_src mesos\necho $$ > $OUT/pid; exec sleep 1000\n#+end_src\n"
        '(setq ob-mesos-on-exit 'ask
               ob-mesos-server-arguments '("--pass-env" "OUT"))
      (let ((out (expand-file-name "pid" (ob-mesos-session-directory session)))
            (pid nil))
        (ob-mesos-session-keys session "M-:")
        (ob-mesos-session-await session "Eval:")
        (ob-mesos-session-keys session "(setenv \"OUT\" default-directory)" "Enter")
        (ob-mesos-session-await session "\"/tmp")
        (ob-mesos-session-keys session "C-c" "C-c")
        (ob-mesos-session-await
         session (lambda ()
                   (and (file-exists-p out)
                        (< 0 (file-attribute-size (file-attributes out))))))
        (setq pid (with-temp-buffer (insert-file-contents out)
                                    (read (current-buffer))))
        (ob-mesos-session-keys session "C-x" "C-s")
        (ob-mesos-session-await session "Wrote")
        (ob-mesos-session-keys session "C-x" "C-c")
        (ob-mesos-session-await session "kill it\\?")
        (ob-mesos-session-keys session (if kill "yes" "no") "Enter")
        (ob-mesos-session-await
         session (lambda ()
                   (not (ignore-errors (ob-mesos-session-screen session)))))
        (if kill
            (ob-mesos-session-await session
                                    (lambda () (null (process-attributes pid))))
          (unwind-protect
              (should (process-attributes pid))
            (signal-process pid 'KILL)))))))

(ert-deftest ob-mesos-the-buffer-of-a-session-can-be-killed-while-a-line-runs ()
  (let ((buffer (generate-new-buffer "session")))
    (kill-buffer buffer)
    (ob-mesos-sessions--show buffer "output")))

(provide 'ob-mesos-session-tests)
;;; ob-mesos-session-tests.el ends here
