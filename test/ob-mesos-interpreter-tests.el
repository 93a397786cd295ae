;;; ob-mesos-interpreter-tests.el --- Sessions on the cluster  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Blocks whose state lives between them, with real interpreters.

;;; Code:

(require 'ob-mesos-tests)
(require 'ob-mesos-sessions)
(require 'ob-python)

(defun ob-mesos-interpreter-tests--name ()
  "Return the name of a session that no other test has."
  (make-temp-name "s"))

(defun ob-mesos-interpreter-tests--block (lang header body)
  "Return a block of LANG with HEADER and BODY that runs on the cluster."
  (format "#+begin_src %s :mesos yes %s\n%s\n#+end_src\n\n" lang header body))

(defun ob-mesos-interpreter-tests--run (&rest blocks)
  "Run BLOCKS, (LANG HEADER BODY) each; return the text below each."
  (ob-mesos-tests--with
      (mapconcat (lambda (block) (apply #'ob-mesos-interpreter-tests--block block))
                 blocks "")
    (goto-char (point-min))
    (while (re-search-forward "^#\\+begin_src" nil t)
      (save-excursion
        (beginning-of-line)
        (ob-mesos-execute)))
    (ob-mesos-tests--settle)
    (goto-char (point-min))
    (cl-loop while (re-search-forward "^#\\+RESULTS:\n" nil t)
             collect (buffer-substring-no-properties
                      (point)
                      (if (re-search-forward "\n\n\\|\\'" nil t) (match-beginning 0)
                        (point-max))))))

(ert-deftest ob-mesos-state-lives-between-the-blocks-of-a-session ()
  (let ((name (ob-mesos-interpreter-tests--name)))
    (should
     (equal '(": hi é" ": 42" "| 41 | 2 |\n|  3 | ä |" ": 5\n: /")
            (ob-mesos-interpreter-tests--run
             `("python" ,(format ":session %s :results output" name)
               "x = 41\nprint(\"hi é\")")
             `("python" ,(format ":session %s" name) "x + 1")
             `("python" ,(format ":session %s" name) "[[x, 2], [3, \"ä\"]]")
             `("bash" ,(format ":session %s :results silent" name) "A=5; cd /")
             `("bash" ,(format ":session %s :results output" name) "echo $A; pwd"))))))

(ert-deftest ob-mesos-sessions-of-other-languages ()
  (let ((name (ob-mesos-interpreter-tests--name)))
    (should
     (equal '(": 7")
            (ob-mesos-interpreter-tests--run
             `("sh" ,(format ":session %s :results silent" name) "B=7")
             `("sh" ,(format ":session %s :results output" name) "echo $B"))))
    (when (and (executable-find "ruby") (require 'ob-ruby nil t))
      (should
       (equal '("| 1 | 2 |" ": [1, 2]")
              (ob-mesos-interpreter-tests--run
               `("ruby" ,(format ":session %s" name) "y = [1, 2]\ny")
               `("ruby" ,(format ":session %s :results output" name) "puts y.inspect")))))
    (when (and (executable-find "node") (require 'ob-js nil t))
      (should
       (equal '(": hi" ": 42" "| 1 | 42 |" ": now\n: later 41")
              (ob-mesos-interpreter-tests--run
               `("js" ,(format ":session %s :results output" name)
                 "const fs = require('fs');\nlet n = 41;\nconsole.log('hi')")
               `("js" ,(format ":session %s" name) "n + 1")
               `("js" ,(format ":session %s :var t='(1 42)" name) "t")
               `("js" ,(format ":session %s :results output" name)
                 "setTimeout(() => console.log('later', n), 50); console.log('now')")))))
    (when (and (executable-find "octave") (require 'ob-octave nil t))
      (should
       (equal '("| 1 | 2 |\n| 3 | 4 |" ": m =\n: \n:    1   2\n:    3   4" ": 5")
              (ob-mesos-interpreter-tests--run
               `("octave" ,(format ":session %s" name) "m = [1 2; 3 4];\nans = m")
               `("octave" ,(format ":session %s :results output" name)
                 "m\nfunction r = f (a)\n  r = a + 1;\nend")
               `("octave" ,(format ":session %s :results output" name)
                 "printf('%d', f(4))")))))
    (when (and (executable-find "Rscript") (require 'ob-R nil t))
      (should
       (equal '("| 1 |\n| 2 |" ": [1] 1 2\n: [1] 3")
              (ob-mesos-interpreter-tests--run
               `("R" ,(format ":session %s" name) "z <- c(1, 2)\nz")
               `("R" ,(format ":session %s :results output" name)
                 "print(z); sum(z)")))))))

(ert-deftest ob-mesos-a-mesos-block-has-a-session-too ()
  (let ((name (ob-mesos-interpreter-tests--name)))
    (should
     (equal '(": 2")
            (ob-mesos-interpreter-tests--run
             `("mesos" ,(format ":lang python :session %s :results silent" name) "w = 1")
             `("mesos" ,(format ":lang python :session %s :var v=1" name)
               "print(w + v)"))))))

(ert-deftest ob-mesos-a-failure-does-not-end-a-session-and-says-where-it-was ()
  (let* ((name (ob-mesos-interpreter-tests--name))
         (results (ob-mesos-interpreter-tests--run
                   `("python" ,(format ":session %s :results silent" name) "x = 1")
                   `("python" ,(format ":session %s :results output" name)
                     "print(x)\nraise ValueError('no')")
                   `("python" ,(format ":session %s" name) "x"))))
    (should (string-search "status 1" (nth 0 results)))
    (should (string-search "line 2" (nth 0 results)))
    (should (string-search "ValueError: no" (nth 0 results)))
    (should (equal ": 1" (nth 1 results)))))

(ert-deftest ob-mesos-a-killed-block-is-interrupted-and-its-session-goes-on ()
  (pcase-dolist (`(,lang ,set ,loop ,get)
                 `(("python" "x = 1" "while True: pass" "print(x)")
                   ("bash" "x=1" "f() { while :; do :; done; }; f" "echo $x")
                   ("sh" "x=1" "f() { while :; do :; done; }; f; echo no" "echo $x")
                   ,@(and (executable-find "octave") (require 'ob-octave nil t)
                          '(("octave" "x = 1;" "while true, end" "printf ('%d', x)")))
                   ,@(and (executable-find "node") (require 'ob-js nil t)
                          '(("js" "let x = 1" "while (true) {}" "console.log(x)")
                            ("js" "let x = 1" "setInterval(() => 0, 1000)"
                             "Promise.resolve(console.log(x))")))
                   ,@(and (executable-find "ruby") (require 'ob-ruby nil t)
                          '(("ruby" "x = 1" "loop { }" "puts x")))
                   ,@(and (executable-find "Rscript") (require 'ob-R nil t)
                          '(("R" "x <- 1" "while (TRUE) {}" "cat(x)")))))
    (let ((name (ob-mesos-interpreter-tests--name)))
      (ob-mesos-tests--with
          (concat (ob-mesos-interpreter-tests--block
                   lang (format ":session %s :results silent" name) set)
                  (ob-mesos-interpreter-tests--block
                   lang (format ":session %s :results output" name) loop)
                  (ob-mesos-interpreter-tests--block
                   lang (format ":session %s :results output" name) get))
        (ob-mesos-execute)
        (ob-mesos-tests--settle)
        (ob-mesos-tests--go loop)
        (ob-mesos-execute)
        (let ((task (car (ob-mesos--running))))
          (ob-mesos-tests--wait (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
          (ob-mesos-tests--go get)
          (ob-mesos-execute)
          (ob-mesos-tests--go loop)
          (ob-mesos-kill)
          (ob-mesos-tests--settle)
          (should (equal "KILLED" (ob-mesos-task-state task))))
        (should (string-suffix-p ": 1" (string-trim-right (buffer-string))))))))

(ert-deftest ob-mesos-an-interrupt-right-after-a-request-is-for-its-block ()
  (pcase-dolist (`(,lang ,program ,loop) '((python "python3" "while True: pass")
                                           (ruby "ruby" "loop { }")
                                           (R "Rscript" "while (TRUE) {}")))
    (when (and (executable-find program) (require (intern (format "ob-%s" lang)) nil t))
      (let* ((directory (make-temp-file "ob-mesos" t))
             (interpreter (ob-mesos-interpreter lang "" '((:result-type . output))))
             (answers "")
             (process
              (make-process
               :name "interpreter" :connection-type 'pipe :noquery t
               :command `("sh" "-c" "exec \"$@\" 3>&1 >/dev/null 2>&1" "sh"
                          ,@(ob-mesos--interpreter-command interpreter))
               :filter (lambda (_process text) (setq answers (concat answers text)))))
             (request (lambda (name)
                        (setq answers "")
                        (process-send-string
                         process
                         (concat (string-replace "%s" (expand-file-name name directory)
                                                 (ob-mesos--interpreter-request interpreter))
                                 "\n"))))
             (answer (lambda ()
                       (ob-mesos-tests--wait (lambda () (string-suffix-p "\n" answers)))
                       answers)))
        (pcase-dolist (`(,name . ,text) `(("short" . "1\n") ("long" . ,(concat loop "\n"))))
          (make-directory (expand-file-name name directory))
          (write-region text nil (expand-file-name (concat name "/.block") directory)
                        nil 'silent))
        (unwind-protect
            (dotimes (_ 20)
              (funcall request "short")
              (should (equal "0\n" (funcall answer)))
              (funcall request "long")
              (interrupt-process process)
              (should (equal "130\n" (funcall answer))))
          (delete-process process))))))

(ert-deftest ob-mesos-files-of-a-block-in-a-session-come-to-the-document ()
  (let* ((name (ob-mesos-interpreter-tests--name))
         (default-directory (file-name-as-directory (make-temp-file "ob-mesos" t)))
         (results
          (ob-mesos-interpreter-tests--run
           `("bash" ,(format ":session %s :dir work :results file link :file one.txt" name)
             "echo 1 > one.txt; echo old > four.txt")
           `("bash" ,(format ":session %s :fetch (quote (\"a b/two.txt\" \"one.txt\"))" name)
             "mkdir 'a b'; head -c 3000000 /dev/zero > 'a b/two.txt'; echo 2 > one.txt")
           `("bash" ,(format ":session %s :fetch three.txt" name) "echo 3")
           `("bash" ,(format ":session %s :results output file :file four.txt" name) "echo new")
           `("bash" ,(format ":session %s :results output" name) "cat one.txt"))))
    (should (equal "[[file:one.txt]]" (nth 0 results)))
    (should (string-search "It has made no file three.txt" (nth 2 results)))
    (should (equal ": 2" (nth 4 results)))
    (should (= 3000000 (file-attribute-size (file-attributes "a b/two.txt"))))
    (should (equal "2\n" (ob-mesos--bytes "one.txt")))
    ;; That is the output, not the file of that name in the session.
    (should (equal "new" (ob-mesos--bytes "four.txt")))))

(ert-deftest ob-mesos-what-a-block-of-octave-can-do-to-its-session ()
  (when (and (executable-find "octave") (require 'ob-octave nil t))
    (let ((name (ob-mesos-interpreter-tests--name)))
      (should
       (equal '(": 1" ": early" ": 7" ": 5" ": 9")
              (ob-mesos-interpreter-tests--run
               `("octave" ,(format ":session %s :results output" name) "clear all; disp(1)")
               `("octave" ,(format ":session %s :results output" name)
                 "if true, disp('early'), return, end\ndisp('late')")
               `("octave" ,(format ":session %s" name) "7;")
               `("octave" ,(format ":session %s" name) "y = 6;\nif isempty(ans), ans = 5; end")
               `("octave" ,(format ":session %s :results output" name)
                 "system('cat'); disp(9)")))))))

(ert-deftest ob-mesos-a-file-that-cannot-be-copied-fails-its-block ()
  (let ((name (ob-mesos-interpreter-tests--name))
        (default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    ;; In the sandbox, the name is that of a directory.
    (let ((results (ob-mesos-interpreter-tests--run
                    `("python" ,(format ":session %s :fetch whole" name)
                      ,(concat "import os, sys\n"
                               "open('whole', 'w').write('x')\n"
                               "out = os.readlink('/proc/self/fd/1')\n"
                               "os.mkdir(os.path.dirname(out) + '/whole')"))
                    `("python" ,(format ":session %s" name) "1 + 1"))))
      (should (string-search "exited with status 1" (nth 0 results)))
      (should (string-search "Is a directory" (nth 0 results)))
      (should (equal ": 2" (nth 1 results)))
      (should-not (file-exists-p "whole")))))

(ert-deftest ob-mesos-a-killed-block-has-no-files-and-its-session-goes-on ()
  (let ((name (ob-mesos-interpreter-tests--name))
        (default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (should
     (string-suffix-p
      ": goes on"
      (cadr (ob-mesos-interpreter-tests--run
             `("bash" ,(format ":session %s :fetch big :timeout 1 :kill-grace 0.2" name)
               "truncate -s 3G big; sleep 100")
             `("bash" ,(format ":session %s :results output" name) "echo goes on")))))
    (should-not (file-exists-p "big"))))

(ert-deftest ob-mesos-graphics-in-a-session ()
  (let ((name (ob-mesos-interpreter-tests--name))
        (default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (if (not (boundp 'org-babel-python--output-graphics-wrapper))
        (should-error (ob-mesos-interpreter-tests--run
                       `("python" ,(format ":session %s :results file graphics :file plot.png" name)
                         "1"))
                      :type 'user-error)
      (dolist (session (list (format ":session %s" name) ""))
        (should (equal '("[[file:plot.png]]")
                       (ob-mesos-interpreter-tests--run
                        `("python" ,(concat session " :results file graphics :file plot.png")
                          ,(concat "class Figure:
    def savefig(self, name):
        open(name, 'w').write('figure')

"
                                   (if (equal session "") "return " "") "Figure()")))))
        (should (equal "figure" (ob-mesos--bytes "plot.png")))
        (delete-file "plot.png")))
    (when (and (executable-find "Rscript") (require 'ob-R nil t))
      (let ((results (ob-mesos-interpreter-tests--run
                      `("R" ,(format ":session %s :results file graphics :file plot.pdf" name)
                        "plot(1:3)")
                      `("R" ,(format ":session %s :results file graphics :file no.pdf" name)
                        "stop('no plot')")
                      `("R" ,(format ":session %s :results file graphics :file no.pdf :timeout 1"
                                     name)
                        "plot(1:3); Sys.sleep(60)")
                      `("R" ,(format ":session %s :results output" name) "cat(dev.cur())"))))
        (should (equal "[[file:plot.pdf]]" (nth 0 results)))
        (should (string-prefix-p "%PDF" (ob-mesos--bytes "plot.pdf")))
        (should (string-search "no plot" (nth 1 results)))
        (should (string-search "status 130" (nth 2 results)))
        (should (equal ": 1" (nth 3 results)))))))

(ert-deftest ob-mesos-a-child-of-a-block-has-no-part-in-the-session ()
  (let ((name (ob-mesos-interpreter-tests--name)))
    (should
     (equal '(": parent" ": parent")
            (ob-mesos-interpreter-tests--run
             `("python" ,(format ":session %s :results output" name)
               "import os, sys
who = 'parent'
if os.fork() == 0:
    who = 'child'
    sys.exit(0)
os.wait()
print(who)")
             `("python" ,(format ":session %s :results output" name) "print(who)"))))))

(ert-deftest ob-mesos-a-shell-block-can-be-wrong-and-set-the-prompt ()
  (dolist (lang '("sh" "bash"))
    (let ((name (ob-mesos-interpreter-tests--name)))
      (should
       (equal '(": 1")
              (last (ob-mesos-interpreter-tests--run
                     `(,lang ,(format ":session %s :results silent" name)
                             "x=1; PROMPT_COMMAND=; PS1=x")
                     `(,lang ,(format ":session %s :results output" name) "if then")
                     `(,lang ,(format ":session %s :results output" name) "echo $x"))))))))

(ert-deftest ob-mesos-a-session-that-has-ended-is-not-begun-again-silently ()
  (let ((name (ob-mesos-interpreter-tests--name)))
    (ob-mesos-tests--with
        (concat (ob-mesos-interpreter-tests--block
                 "bash" (format ":session %s :results output" name) "A=1; sleep 0.3; exit 3")
                (ob-mesos-interpreter-tests--block
                 "bash" (format ":session %s :results output" name) "echo \"A is $A.\""))
      (ob-mesos-execute)
      (ob-mesos-tests--go "echo")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-match-p "status 3; its session has ended" (buffer-string)))
      (should-not (string-search "job control" (buffer-string)))
      (should (string-match-p "The session has ended (with the block" (buffer-string)))
      ;; The user has read it.
      (ob-mesos-tests--go "echo")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-suffix-p ": A is ." (string-trim-right (buffer-string)))))))

(ert-deftest ob-mesos-what-a-session-cannot-have-is-refused-by-name ()
  (pcase-dolist (`(,lang ,header ,words)
                 '(("perl" "" "perl on a cluster has no session")
                   ("python" ":files a.txt" ":files")
                   ("python" ":instances 2" ":instances")
                   ("python" ":stdin x" ":stdin")
                   ("python" ":secret A=b" ":secret")))
    (ob-mesos-tests--with
        (ob-mesos-interpreter-tests--block lang (concat ":session s " header) "1")
      (let ((message (cadr (should-error (ob-mesos-execute) :type 'user-error))))
        (should (string-search words message))))))

(defun ob-mesos-interpreter-tests--lost-p (name)
  "Return non-nil if the server says that the session NAME is lost."
  (cl-some (lambda (session)
             (and (string-suffix-p name (plist-get session :name))
                  (plist-get session :lost)))
           (plist-get (ob-mesos--call (ob-mesos--server) :session/list
                                      (make-hash-table :size 1))
                      :sessions)))

;; Nobody hears of the death of an interpreter but its supervisor.
(ert-deftest ob-mesos-a-session-that-is-lost-is-listed-as-such ()
  (dolist (victim '("interpreter" "supervisor" "without a server"))
    (let* ((name (ob-mesos-interpreter-tests--name))
           (shown (concat "bash/" name)))
      (ob-mesos-tests--with
          (ob-mesos-interpreter-tests--block
           "bash" (format ":session %s :results output" name) "echo $$ $PPID")
        (ob-mesos-execute)
        (ob-mesos-tests--settle)
        (re-search-forward "^: \\([0-9]+\\) \\([0-9]+\\)$")
        (let ((interpreter (match-string 1))
              (supervisor (match-string 2)))
          (when (equal victim "without a server")
            (ob-mesos--disconnect (ob-mesos--server) nil))
          (call-process "kill" nil nil nil "-9"
                        (if (equal victim "supervisor") supervisor interpreter)))
        (ert-info (victim)
          (ob-mesos-tests--wait
           (lambda () (ob-mesos-interpreter-tests--lost-p name)))
          (save-window-excursion
            (ob-mesos-sessions)
            (ob-mesos-tests--wait
             (lambda ()
               (goto-char (point-min))
               (re-search-forward (concat shown " +lost ") nil t)))
            (kill-buffer))
          ;; The next block is told, and the one after that begins another.
          (dolist (end '(": .*The session has ended (its interpreter has ended)" ": [0-9]+ [0-9]+"))
            (ob-mesos-tests--go "#+begin_src")
            (ob-mesos-execute)
            (ob-mesos-tests--settle)
            (should (string-match-p end (buffer-string)))))))))

(ert-deftest ob-mesos-a-session-that-ends-right-after-its-block-is-listed-as-lost ()
  (let* ((name (ob-mesos-interpreter-tests--name))
         (directory (make-temp-file "ob-mesos" t))
         (number (expand-file-name "number" directory))
         (over (expand-file-name "over" directory)))
    (ob-mesos-tests--with
        (ob-mesos-interpreter-tests--block
         "bash" (format ":session %s :results output" name)
         (format "while [ ! -e %s ]; do sleep 0.1; done; echo $$ > %s.new; mv %s.new %s"
                 over number number number))
      (ob-mesos-execute)
      (ob-mesos-tests--wait
       (lambda () (equal "RUNNING" (ob-mesos-task-state (car (ob-mesos--running))))))
      ;; The server does not take in the end of the block before that of its session.
      (ob-mesos--disconnect (ob-mesos--server) nil)
      (write-region "" nil over nil 'silent)
      (ob-mesos-tests--wait
       (lambda ()
         (file-exists-p (expand-file-name
                         (format "cluster/meta/%s/exit"
                                 (ob-mesos-task-id (car (ob-mesos--running))))
                         (ob-mesos--server-directory (ob-mesos--server))))))
      (call-process "sh" nil nil nil "-c" (format "kill -9 $(cat %s)" number))
      (ob-mesos-tests--wait
       (lambda () (ob-mesos-interpreter-tests--lost-p name)))
      (ob-mesos-tests--settle))
    (delete-directory directory t)))

(ert-deftest ob-mesos-what-is-refused-before-a-block-is-named ()
  (ob-mesos-tests--with
      (concat "#+name: first\n"
              (ob-mesos-interpreter-tests--block "bash" ":session s :files x" "echo")
              (ob-mesos-interpreter-tests--block "bash" ":session s :after first" "true"))
    (ob-mesos-tests--go "true")
    (should (string-search "first: "
                           (cadr (should-error (ob-mesos-execute) :type 'user-error))))))

(ert-deftest ob-mesos-sessions-are-listed-and-killed ()
  (let* ((name (ob-mesos-interpreter-tests--name))
         (shown (concat "bash/" name)))
    (ob-mesos-interpreter-tests--run
     `("bash" ,(format ":session %s :results silent" name) "A=1"))
    (save-window-excursion
      (ob-mesos-sessions)
      (unwind-protect
          (progn
            (ob-mesos-tests--wait (lambda () (string-search shown (buffer-string))))
            (goto-char (point-min))
            (search-forward shown)
            (should (string-match-p "idle"
                                    (buffer-substring (line-beginning-position)
                                                      (line-end-position))))
            (cl-letf (((symbol-function 'y-or-n-p) #'always))
              (ob-mesos-sessions-kill))
            (ob-mesos-tests--wait (lambda () (not (string-search shown (buffer-string))))))
        (kill-buffer)))
    (should (equal '(": A is .")
                   (ob-mesos-interpreter-tests--run
                    `("bash" ,(format ":session %s :results output" name)
                      "echo \"A is $A.\""))))))

(ert-deftest ob-mesos-a-repl-is-in-the-session ()
  (let* ((name (ob-mesos-interpreter-tests--name))
         (shown (concat "python/" name)))
    (ob-mesos-interpreter-tests--run
     `("python" ,(format ":session %s :results silent" name) "x = 41"))
    (save-window-excursion
      (ob-mesos-sessions)
      (ob-mesos-tests--wait (lambda () (string-search shown (buffer-string))))
      (goto-char (point-min))
      (search-forward shown)
      (ob-mesos-sessions-repl)
      (unwind-protect
          (pcase-dolist (`(,line . ,answer) '(("x" . "41\n> ") ("x += 1" . "x += 1\n> ")
                                              ("x" . "42\n> ")
                                              ("1/0" . "ZeroDivisionError: division by zero\n[FAILED")))
            (goto-char (point-max))
            (insert line)
            (let ((from (point)))
              (comint-send-input)
              (ob-mesos-tests--wait
               (lambda ()
                 (and (null ob-mesos-sessions--task)
                      (string-search (string-remove-prefix line answer)
                                     (buffer-substring from (point-max))))))))
        (kill-buffer)))))

(ert-deftest ob-mesos-a-session-outlives-its-server ()
  (let ((name (ob-mesos-interpreter-tests--name)))
    (ob-mesos-interpreter-tests--run
     `("python" ,(format ":session %s :results silent" name) "x = 41"))
    (let* ((server (ob-mesos--server))
           (connection (ob-mesos--server-connection server)))
      (signal-process (jsonrpc--process connection) 'KILL)
      (with-temp-buffer
        (ob-mesos-tests--wait
         (lambda () (not (eq connection (ob-mesos--server-connection server)))))))
    (should (equal '(": 42")
                   (ob-mesos-interpreter-tests--run
                    `("python" ,(format ":session %s" name) "x + 1"))))))

(provide 'ob-mesos-interpreter-tests)
;;; ob-mesos-interpreter-tests.el ends here
