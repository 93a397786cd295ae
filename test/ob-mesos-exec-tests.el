;;; ob-mesos-exec-tests.el --- Inside a running task  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Shells, files and input of tasks, with real processes and real terminals.

;;; Code:

(require 'dired)
(require 'ob-mesos-tests)
(require 'ob-mesos-session-tests)
(require 'ob-mesos-menu)

(defmacro ob-mesos-exec-tests--beside (body &rest forms)
  "While a task with BODY runs, run FORMS; `id' is its id, `server' its server.
The first line of its output has been written by then."
  (declare (indent 1))
  `(ob-mesos-tests--with (ob-mesos-tests--block "" ,body)
     (ob-mesos-execute)
     (let* ((task (car (ob-mesos--running)))
            (id (ob-mesos-task-id task))
            (server (ob-mesos-task-server task)))
       (ob-mesos-tests--wait (lambda () (not (string-empty-p (ob-mesos-task-tail task)))))
       (unwind-protect
           (progn ,@forms)
         (ob-mesos-tests--end-all)))))

(defun ob-mesos-exec-tests--run (server id words &optional input)
  "Run WORDS beside the task ID of SERVER with INPUT; return (STATUS OUTPUT)."
  (let ((command (ob-mesos-exec-command server id words))
        (coding-system-for-read 'binary)
        (coding-system-for-write 'binary))
    (with-temp-buffer
      (set-buffer-multibyte nil)
      (insert (or input ""))
      (let ((status (apply #'call-process-region (point-min) (point-max)
                           (car command) t t nil (cdr command))))
        (list status (buffer-string))))))

(ert-deftest ob-mesos-a-command-runs-in-the-directory-and-environment-of-a-task ()
  (ob-mesos-exec-tests--beside "export A; touch here; echo begun; sleep 600"
    (should (equal '(7 "here\n")
                   (ob-mesos-exec-tests--run
                    server id '("sh" "-c" "ls here; exit 7"))))
    (should (equal (list 0 (concat id "\n"))
                   (ob-mesos-exec-tests--run
                    server id '("sh" "-c" "echo $MESOS_TASK_ID"))))
    (should (member (car (ob-mesos-exec-tests--run
                          server id '("sh" "-c" "kill -KILL $$")))
                    '(137 "Killed")))
    (should (equal '(127 "ob-mesos: no-such-program: No such file or directory\n")
                   (ob-mesos-exec-tests--run server id '("no-such-program"))))))

(ert-deftest ob-mesos-a-pipe-through-a-task-is-byte-exact ()
  (let ((bytes (apply #'unibyte-string
                      (cl-loop repeat 300000 collect (random 256)))))
    (ob-mesos-exec-tests--beside "echo begun; sleep 600"
      (should (equal (list 0 bytes)
                     (ob-mesos-exec-tests--run server id '("cat") bytes))))))

(ert-deftest ob-mesos-a-task-that-does-not-run-has-no-shell ()
  (ob-mesos-exec-tests--beside "echo begun; sleep 600"
    (ob-mesos-kill)
    (ob-mesos-tests--settle)
    (should (equal (list 255 (format "ob-mesos: task %s has ended (KILLED)\n" id))
                   (ob-mesos-exec-tests--run server id '("true"))))
    (should (equal '(255 "ob-mesos: no task has the id no-such-task\n")
                   (ob-mesos-exec-tests--run server "no-such-task" '("true"))))
    (should-error (ob-mesos-shell) :type 'user-error)))

(ert-deftest ob-mesos-exec-of-the-shell-finds-the-server ()
  (let ((process-environment process-environment)
        (state (make-temp-file "ob-mesos" t)))
    (ob-mesos-exec-tests--beside "echo begun; sleep 600"
      ;; The directory that the command looks in is that of this server.
      (make-symbolic-link
       (cadr (member "--state-dir" ob-mesos-server-arguments))
       (expand-file-name "ob-mesos" state))
      (setenv "XDG_STATE_HOME" state)
      (let ((command (expand-file-name "../ob-mesos" ob-mesos--directory)))
        (should (equal (list 5 (concat id "\n") "err\n")
                       (ob-mesos-tests--call
                        (list command "exec" id "--" "sh" "-c"
                              "echo $MESOS_TASK_ID; echo err >&2; exit 5"))))
        (should (equal 255 (car (ob-mesos-tests--call
                                 (list command "exec" "no-such-task" "--" "true")))))))))

;;;; Files

(defun ob-mesos-exec-tests--text (file)
  "Return the contents of FILE."
  (with-temp-buffer
    (insert-file-contents file)
    (buffer-string)))

(ert-deftest ob-mesos-the-files-of-a-task-are-files-while-it-runs-and-after ()
  (let ((inhibit-message t)
        (kill-buffer-query-functions nil))
    (ob-mesos-exec-tests--beside
        "mkdir sub; printf 'a\\344\\n' > sub/x; ln -s sub way; ln -s none nowhere; ln -s .. sub/up; mkfifo pipe
echo begun; sleep 600"
      (save-window-excursion
        (ob-mesos-files)
        (goto-char (point-min))
        (should (search-forward "stdout" nil t))
        (let ((sandbox default-directory))
          (kill-buffer)
          (should (equal "begun\n" (ob-mesos-exec-tests--text (concat sandbox "stdout"))))
          (write-region "new\n" nil (concat sandbox "sub/new") nil 'silent)
          (should (equal "new\n" (car (cdr (ob-mesos-exec-tests--run
                                            server id '("cat" "sub/new"))))))
          (let ((default-directory sandbox))
            (should (equal "x\n" (shell-command-to-string "ls sub | grep x"))))
          ;; The same names can be read after the end.
          (ob-mesos--request server :task/kill (list :ids (vector id)) #'ignore)
          (ob-mesos-tests--settle)
          (should (equal "begun\n" (ob-mesos-exec-tests--text (concat sandbox "stdout"))))
          (should (equal '("." ".." "new" "up" "x") (directory-files (concat sandbox "sub"))))
          (should (file-directory-p (concat sandbox "sub")))
          ;; A link is what it leads to; one that leads nowhere is a file.
          (should (file-directory-p (concat sandbox "way")))
          (should (equal '("." ".." "new" "up" "x") (directory-files (concat sandbox "way"))))
          (should (equal "sub" (file-symlink-p (concat sandbox "way"))))
          (should (equal '("new" "x") (mapcar #'file-name-nondirectory
                                              (directory-files-recursively
                                               (concat sandbox "sub") ""))))
          (should-not (file-directory-p (concat sandbox "nowhere")))
          (let ((words (error-message-string
                        (should-error (ob-mesos-exec-tests--text (concat sandbox "pipe"))))))
            (should (string-search "pipe is not a regular file" words))
            (should-not (string-search "java" words)))
          (should-not (file-exists-p (concat sandbox "no-such-file")))
          (should-error (write-region "" nil (concat sandbox "y")) :type 'file-error)
          (let ((copy (make-temp-name (expand-file-name "copy" temporary-file-directory)))
                (coding-system-for-read 'binary))
            (copy-file (concat sandbox "sub/x") copy)
            (should (equal "a\344\n" (string-as-unibyte
                                      (ob-mesos-exec-tests--text copy))))
            (delete-file copy))))
      (with-current-buffer (ob-mesos-exec-tests--visit id)
        (should (search-forward "stdout" nil t))
        (kill-buffer)))))

(defun ob-mesos-exec-tests--visit (id)
  "Return a Dired buffer on the files of the task ID, at its beginning."
  (save-window-excursion
    (dired (format "/mesos:%s:" id))
    (goto-char (point-min))
    (current-buffer)))

(ert-deftest ob-mesos-a-name-of-an-unknown-task-is-still-a-name ()
  (ob-mesos-exec-tests--beside "echo begun; sleep 600"
    (require 'tramp)
    (ob-mesos-tramp-enable server)
    (should (equal "/mesos:no-such-task:/a/b"
                   (expand-file-name "b" "/mesos:no-such-task:/a")))
    (should (file-remote-p "/mesos:no-such-task:/a"))))

;;;; Input

(ert-deftest ob-mesos-a-task-reads-what-is-sent-to-it ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":stdin interactive" "echo ask; read a; echo \"got $a\"; read b; echo \"and $b\"")
    (ob-mesos-execute)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait (lambda () (string-prefix-p "ask" (ob-mesos-task-tail task))))
      (ob-mesos-send "one ä")
      (ob-mesos-send "two")
      (ob-mesos-tests--settle)
      (should (equal ": ask\n: got one ä\n: and two\n" (ob-mesos-tests--results))))))

(ert-deftest ob-mesos-nothing-is-sent-to-a-task-that-does-not-read ()
  (ob-mesos-exec-tests--beside "echo begun; sleep 600"
    (let ((message (cadr (should-error (ob-mesos-send "x") :type 'user-error))))
      (should (string-search "not started with :stdin interactive" message)))))

;;;; A failed task

(ert-deftest ob-mesos-a-failed-task-is-kept-until-it-is-let-go ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":keep 30m" "echo out; touch here; exit 3")
    (ob-mesos-execute)
    (let* ((task (car (ob-mesos--running)))
           (id (ob-mesos-task-id task)))
      (ob-mesos-tests--wait
       (lambda () (string-match-p "out\n\\[exited with status 3; kept until 2[-0-9]+ [0-9:]+\\]"
                                  (ob-mesos-task-tail task))))
      (should (equal "RUNNING" (ob-mesos-task-state task)))
      (should (equal '(0 "here\n") (ob-mesos-exec-tests--run (ob-mesos-task-server task) id
                                                             '("ls" "here"))))
      (ob-mesos-release)
      (ob-mesos-tests--settle)
      (should (equal "FAILED" (ob-mesos-task-state task)))
      (should (equal 3 (plist-get (ob-mesos-task-data task) :exitStatus)))
      (should (equal "out\n" (plist-get (ob-mesos-task-result task) :stdout))))))

(ert-deftest ob-mesos-only-the-last-attempt-is-kept ()
  (let ((runs (make-temp-file "ob-mesos")))
    (ob-mesos-tests--with
        (ob-mesos-tests--block ":keep 30m :attempts 2 :backoff 0.1"
                               (format "echo run >> %s; exit 3" runs))
      (ob-mesos-execute)
      (let ((task (car (ob-mesos--running))))
        (ob-mesos-tests--wait
         (lambda () (string-match-p "kept until" (ob-mesos-task-tail task))))
        (should (equal "run\nrun\n" (ob-mesos--bytes runs)))
        (ob-mesos-release)
        (ob-mesos-tests--settle)
        (should (equal "FAILED" (ob-mesos-task-state task)))))
    (delete-file runs)))

(ert-deftest ob-mesos-a-task-with-keep-ends-at-once-if-it-does-not-fail ()
  (should (equal ": done\n" (ob-mesos-tests--run ":keep 1h" "echo done"))))

(ert-deftest ob-mesos-a-time-that-is-none-is-refused ()
  (ob-mesos-exec-tests--beside "echo begun; sleep 600"
    (should-error (ob-mesos-release) :type 'user-error))
  (dolist (value '("soon" "-1" "8d"))
    (ob-mesos-tests--with (ob-mesos-tests--block (concat ":keep " value) "true")
      (condition-case err
          (progn (ob-mesos-execute)
                 (ob-mesos-tests--settle)
                 (should (string-search "keep" (buffer-string))))
        (user-error (should (string-search "keep" (error-message-string err))))))))

;;;; A terminal

(ert-deftest ob-mesos-a-shell-is-a-terminal ()
  (ob-mesos-session-tests--in "#+begin_src mesos\necho begun; sleep 600\n#+end_src\n" nil
    (ob-mesos-session-keys session "C-c" "C-c")
    (ob-mesos-session-await session "| begun")
    (ob-mesos-session-keys session "C-c" "C-v" "m" "!")
    (ob-mesos-session-await session "Term: char run")
    (ob-mesos-session-await session "latest[#$]")
    (ob-mesos-session-keys session "-l" "sleep 500; echo \"status $?\"")
    (ob-mesos-session-keys session "Enter")
    (ob-mesos-session-await session "status \\$")
    (ob-mesos-session-keys session "C-c")
    (ob-mesos-session-await session "status 130\\|\\^C")
    (ob-mesos-session-keys session "-l" "tput el && echo known-$TERM")
    (ob-mesos-session-keys session "Enter")
    (ob-mesos-session-await session "known-screen")
    (ob-mesos-session-keys session "-l" "stty size; exit 3")
    (ob-mesos-session-keys session "Enter")
    (ob-mesos-session-await session "exited abnormally with code 3")
    (should (string-match-p "^1[0-9] 99\\|^1[0-9] 100\\|^2[0-9] 99"
                            (ob-mesos-session-screen session)))))

(provide 'ob-mesos-exec-tests)
;;; ob-mesos-exec-tests.el ends here
