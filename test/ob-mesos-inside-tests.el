;;; ob-mesos-inside-tests.el --- Inside tasks of a real Mesos  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Sessions of an agent, and sessions of blocks, on the Mesos that
;; OB_MESOS_TEST_MASTER names.

;;; Code:

(require 'ob-mesos-master-tests)
(require 'ob-mesos-exec-tests)
(require 'ob-mesos-interpreter-tests)

(defmacro ob-mesos-inside-tests--beside (executor header body &rest forms)
  "While a task with HEADER, BODY and an EXECUTOR runs, run FORMS.
`id' is its id, `server' its server, `task' what Emacs has of it."
  (declare (indent 3))
  `(ob-mesos-master-tests--with
     (ob-mesos-tests--with
         (ob-mesos-master-tests--document
          master (ob-mesos-tests--block (format ":executor %s %s" ,executor ,header) ,body))
       (ob-mesos-tests--go "#+begin_src")
       (ob-mesos-execute)
       (let* ((task (car (ob-mesos--running)))
              (id (ob-mesos-task-id task))
              (server (ob-mesos-task-server task)))
         (ob-mesos-tests--wait
          (lambda () (not (string-empty-p (ob-mesos-task-tail task)))))
         (unwind-protect
             (progn ,@forms)
           (ob-mesos-tests--end-all))))))

(defun ob-mesos-inside-tests--look (executor)
  "Look into a task with EXECUTOR in all ways there are."
  (ob-mesos-inside-tests--beside executor ":env WHO=me"
      "mkdir sub; echo x > sub/x; echo begun; sleep 600"
    (should (equal '(7 "x\nme\n")
                   (ob-mesos-exec-tests--run server id '("sh" "-c" "cat sub/x; echo $WHO; exit 7"))))
    (should (equal 137 (car (ob-mesos-exec-tests--run server id '("sh" "-c" "kill -9 $$")))))
    (should (equal 127 (car (ob-mesos-exec-tests--run server id '("no-such-program")))))
    (let ((bytes (apply #'unibyte-string (cl-loop repeat 300000 collect (random 256)))))
      (should (equal (list 0 bytes) (ob-mesos-exec-tests--run server id '("cat") bytes))))
    ;; A client that is killed takes its command along; another one goes on.
    (let* ((mark (format "%d" (+ 100000 (random 100000))))
           (words (list "sh" "-c" (format "echo up; sleep %s" mark)))
           (clients (cl-loop repeat 2 collect
                             (let ((process (make-process
                                             :name "client" :connection-type 'pipe
                                             :buffer (generate-new-buffer " *client*")
                                             :command (ob-mesos-exec-command server id words)
                                             :noquery t)))
                               (ob-mesos-tests--wait
                                (lambda () (with-current-buffer (process-buffer process)
                                             (string-search "up" (buffer-string)))))
                               process))))
      (cl-flet ((left ()
                  (string-to-number
                   (shell-command-to-string (format "pgrep -cfx 'sleep %s'" mark)))))
        (should (= 2 (left)))
        (signal-process (car clients) 'KILL)
        (ob-mesos-tests--wait (lambda () (= 1 (left))))
        (should (process-live-p (cadr clients)))
        (signal-process (cadr clients) 'KILL)
        (ob-mesos-tests--wait (lambda () (= 0 (left))))))
    (let ((sandbox (format "/mesos:%s:" id)) (inhibit-message t))
      (save-window-excursion
        (ob-mesos-files)
        (setq sandbox default-directory)
        (kill-buffer))
      (should (equal "x\n" (ob-mesos-exec-tests--text (concat sandbox "sub/x"))))
      (write-region "new\n" nil (concat sandbox "new") nil 'silent)
      (ob-mesos--request server :task/kill (list :ids (vector id)) #'ignore)
      (ob-mesos-tests--settle)
      (should (equal "new\n" (ob-mesos-exec-tests--text (concat sandbox "new"))))
      (should (equal '("." ".." "x") (directory-files (concat sandbox "sub")))))))

;; Those with the tag agent need an agent of Mesos, which starts containers; the
;; master of the Java tests has none.  `./ob-mesos test --master HOST:PORT' runs
;; them; the embedded cluster has tests of its own for all this.

(ert-deftest ob-mesos-a-task-with-an-executor-of-its-own-can-be-looked-into ()
  :tags '(master agent)
  (ob-mesos-inside-tests--look "own"))

(ert-deftest ob-mesos-a-task-on-a-shared-executor-can-be-looked-into ()
  :tags '(master agent)
  (ob-mesos-inside-tests--look "shared"))

(ert-deftest ob-mesos-commands-have-the-environment-of-their-task-and-end-with-it ()
  :tags '(master agent)
  (dolist (executor '("own" "shared"))
    (ob-mesos-inside-tests--beside executor ":stdin interactive"
        "echo $MESOS_SANDBOX; read a; echo \"got $a\"; sleep 600"
      (ob-mesos-send "a line")
      (ob-mesos-tests--wait
       (lambda () (string-search "got a line" (ob-mesos-task-tail task))))
      (should (string-prefix-p
               (cadr (ob-mesos-exec-tests--run server id '("sh" "-c" "echo $MESOS_SANDBOX")))
               (ob-mesos-task-tail task)))
      (let* ((mark (format "%d" (+ 100000 (random 100000))))
             (client (make-process
                      :name "client" :connection-type 'pipe :noquery t
                      :buffer (generate-new-buffer " *client*")
                      :command (ob-mesos-exec-command
                                server id (list "sh" "-c" (concat "echo up; sleep " mark))))))
        (ob-mesos-tests--wait
         (lambda () (with-current-buffer (process-buffer client)
                      (string-search "up" (buffer-string)))))
        (ob-mesos--request server :task/kill (list :ids (vector id)) #'ignore)
        (ob-mesos-tests--settle)
        (ob-mesos-tests--wait
         (lambda () (and (not (process-live-p client))
                         (string-empty-p (shell-command-to-string
                                          (format "pgrep -fx 'sleep %s'" mark))))))))))

(ert-deftest ob-mesos-a-failed-task-is-kept-on-a-master ()
  :tags '(master agent)
  (dolist (executor '("own" "shared"))
    (ob-mesos-inside-tests--beside executor ":keep 10m" "echo out; touch here; exit 3"
      (ob-mesos-tests--wait
       (lambda () (string-search "[exited with status 3; kept until" (ob-mesos-task-tail task))))
      (should (equal '(0 "here\n") (ob-mesos-exec-tests--run server id '("ls" "here"))))
      (ob-mesos-tests--go "#+begin_src")
      (ob-mesos-release)
      (ob-mesos-tests--settle)
      (should (equal '("FAILED" 3)
                     (list (ob-mesos-task-state task)
                           (plist-get (ob-mesos-task-data task) :exitStatus)))))))

(ert-deftest ob-mesos-sessions-live-on-a-master ()
  :tags '(master agent)
  (ob-mesos-master-tests--with
    (let* ((ob-mesos-master master)
           (name (ob-mesos-interpreter-tests--name)))
      (should (equal '(": 42" "| 41 | 2 |")
                     (ob-mesos-interpreter-tests--run
                      ;; The later blocks run in the role of the session.
                      `("python" ,(format ":session %s :role tests :results silent" name)
                        "x = 41")
                      `("python" ,(format ":session %s" name) "x + 1")
                      `("python" ,(format ":session %s" name) "[x, 2]"))))
      (let* ((server (ob-mesos--server master))
             (connection (ob-mesos--server-connection server)))
        (signal-process (jsonrpc--process connection) 'KILL)
        (with-temp-buffer
          (ob-mesos-tests--wait
           (lambda () (not (eq connection (ob-mesos--server-connection server))))))
        (should (equal '(": 43")
                       (ob-mesos-interpreter-tests--run
                        `("python" ,(format ":session %s" name) "x + 2"))))
        (ob-mesos--call server :session/kill (list :names (vector (concat "python/" name))))
        (should (string-search
                 "NameError"
                 (car (ob-mesos-interpreter-tests--run
                       `("python" ,(format ":session %s" name) "x + 2")))))))))

(provide 'ob-mesos-inside-tests)
;;; ob-mesos-inside-tests.el ends here
